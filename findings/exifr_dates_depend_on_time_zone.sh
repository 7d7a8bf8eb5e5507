#!/usr/bin/env bash
# Guess:   the JavaScript reader exifr gives a date as the moment that the file records: EXIF has the local time
#          and, since 2.31, its offset from UTC (OffsetTimeOriginal).
# Seen:    the offset is ignored and the time is taken in the zone of the machine that reads: the same file gives
#          another moment in Berlin than in New York.
# Matters: timelines built from such dates move with the examiner's clock settings, by up to a day.
# Version: exifr 7.1.3 (npm), Node.js 20.20. Date: 2026-11-28.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cd "$work"
export npm_config_cache="$work/cache"
npm install --silent --no-audit --no-fund --prefix "$work" exifr@7.1.3 >/dev/null

cat >read.js <<'JS'
const exifr = require('exifr');
const entry = (tag, type, count, value) => {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16LE(tag, 0); bytes.writeUInt16LE(type, 2);
  bytes.writeUInt32LE(count, 4); bytes.writeUInt32LE(value, 8);
  return bytes;
};
const count = (n) => Buffer.from([n, 0]);
const end = Buffer.alloc(4);
// TIFF header; directory with the pointer to the EXIF directory at 26; two texts after that, at 56 and 76.
const block = Buffer.concat([
  Buffer.from('II*\0\x08\0\0\0', 'latin1'), count(1), entry(0x8769, 4, 1, 26), end,
  count(2), entry(0x9003, 2, 20, 56), entry(0x9011, 2, 7, 76), end,
  Buffer.from('2021:05:06 12:00:00\0+09:00\0', 'latin1'),
]);
exifr.parse(block, {tiff: true, exif: true}).then((found) => {
  console.log(found.OffsetTimeOriginal, found.DateTimeOriginal.toISOString());
});
JS
berlin="$(TZ=Europe/Berlin node read.js)"
york="$(TZ=America/New_York node read.js)"
echo "exifr $(node -p "require('exifr/package.json').version"), Node.js $(node --version)"
echo "expected: 2021-05-06T03:00:00.000Z in both, for the file says 12:00 at +09:00"
echo "seen: in Berlin $berlin; in New York $york"
[[ "$berlin" == "+09:00 2021-05-06T10:00:00.000Z" && "$york" == "+09:00 2021-05-06T16:00:00.000Z" ]]
