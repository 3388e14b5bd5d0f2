# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the scripts that compare share.

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# compare PAIRS OURS THEIRS: runs the two commands, which print a rate, as often in turn, the first to
# go changing from pair to pair. Prints both medians, the median of the ratios, pair by pair, and how
# far they spread.
compare() {
  local pairs=$1 pair ours theirs
  shift
  for ((pair = 1; pair <= pairs; ++pair)); do
    if ((pair % 2)); then
      ours=$($1) && theirs=$($2)
    else
      theirs=$($2) && ours=$($1)
    fi || die "a run of '$1' or '$2' failed"
    printf '%s %s\n' "$ours" "$theirs"
  done | awk '
    function sort(list,   i, j, kept) {
      for (i = 2; i <= NR; ++i) {
        kept = list[i]
        for (j = i; j > 1 && list[j - 1] > kept; --j) list[j] = list[j - 1]
        list[j] = kept
      }
    }
    { ours[NR] = $1; theirs[NR] = $2; ratio[NR] = $1 / $2 }
    END {
      sort(ours); sort(theirs); sort(ratio)
      middle = (NR + 1) / 2
      printf "%9.3f %9.3f %8.3f %8.3f %8.3f\n",
             ours[middle], theirs[middle], ratio[middle], ratio[1], ratio[NR]
    }'
}
