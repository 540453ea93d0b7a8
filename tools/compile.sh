#!/bin/sh
# compile.sh ROOT COMMAND...: compiles through ccache, so that all clones on this machine share what was compiled.
#
# A precompiled header names the files it was made of by their full paths, so it is neither taken from the cache nor bit
# for bit the same in two clones. Beside it, this writes a checksum of the text of those files; ccache takes that as the
# header's content when it compiles a source with it.
set -eu
root=$1
shift
export CCACHE_BASEDIR="$root" CCACHE_MAXSIZE=5G CCACHE_COMPRESSLEVEL=1 CCACHE_PCH_EXTSUM=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

output='' dependencies='' previous=''
for word in "$@"; do
  case $previous in
    -o) output=$word ;;
    -MF) dependencies=$word ;;
  esac
  previous=$word
done
case $output in
  *.pch | *.gch) ;;
  *) exec ccache "$@" ;;
esac
"$@"
{
  printf '%s\n' "$@"
  sed -e 's/^[^:]*: *//' -e 's/\\$//' "$dependencies" | tr -s ' ' '\n' | grep . | xargs cat
} | sed "s|$root||g" | sha256sum >"$output.sum"
