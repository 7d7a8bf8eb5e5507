"""Public data sets, one module each: where their files lie and what their names say."""
