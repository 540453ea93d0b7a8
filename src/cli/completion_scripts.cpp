#include "cli/command_line.hpp"
#include "cli/completion.hpp"

namespace syncline::cli {
namespace {

// PROGRAM and COMPLETE stand for the name of the program and for kCompleteWord.

// Bash has cut the words at "=" and ":" as well, so the line is split again. Readline replaces only what stands behind
// the last of those.
constexpr std::string_view kBash = R"(# bash completion for PROGRAM: asks the program what could come next.
_PROGRAM_completion() {
  local line=${COMP_LINE:0:COMP_POINT} words current head= breaks path candidate
  read -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[-1]}
  breaks=${COMP_WORDBREAKS//[^=:]/}
  [[ -n $breaks ]] && head=${current%"${current##*[$breaks]}"}
  path=$current
  [[ $path == --*=* ]] && path=${path#*=}
  COMPREPLY=()
  while IFS= read -r candidate; do
    case $candidate in
      :files)
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$path")
        ;;
      :directories)
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$path")
        ;;
      :continues) compopt -o nospace ;;
      *)
        candidate=${candidate%%$'\t'*}
        COMPREPLY+=("${candidate#"$head"}")
        ;;
    esac
  done < <("${words[0]/#\~\//$HOME/}" COMPLETE "${words[@]:1}" 2>/dev/null)
}
complete -F _PROGRAM_completion PROGRAM
)";

constexpr std::string_view kZsh = R"(#compdef PROGRAM
# zsh completion for PROGRAM: asks the program what could come next.
_PROGRAM() {
  local line word paths
  local -a lines candidates suffix
  lines=("${(@f)$("${(Q)words[1]/#\~\//$HOME/}" COMPLETE "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
  for line in $lines; do
    case $line in
      :files | :directories) paths=${line#:} ;;
      :continues) suffix=(-S '') ;;
      *)
        word=${${line%%$'\t'*}//:/\\:}
        if [[ $line == *$'\t'* ]]; then word+=:${line#*$'\t'}; fi
        candidates+=("$word")
        ;;
    esac
  done
  if (( $#candidates )); then _describe -t values PROGRAM candidates "${suffix[@]}"; fi
  if [[ -n $paths ]]; then
    compset -P '--*='
    if [[ $paths == files ]]; then _files; else _files -/; fi
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _PROGRAM "$@"
else
  compdef _PROGRAM PROGRAM
fi
)";

constexpr std::string_view kFish = R"(# fish completion for PROGRAM: asks the program what could come next.
function __PROGRAM_completion
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l before (string match -r -- '^--[^=]*=' "$current")
    set -l path (string replace -r -- '^--[^=]*=' '' "$current")
    for line in ($program COMPLETE $words "$current" 2>/dev/null)
        switch $line
            case :files
                for found in (__fish_complete_path "$path")
                    printf '%s\n' "$before$found"
                end
            case :directories
                for found in (__fish_complete_directories "$path")
                    printf '%s\n' "$before$found"
                end
            case :continues
            case '*'
                printf '%s\n' $line
        end
    end
end
complete -c PROGRAM -f -a '(__PROGRAM_completion)'
)";

std::string replaced(std::string text, std::string_view word, std::string_view by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
  return text;
}

}  // namespace

const std::vector<std::string>& shells() {
  static const std::vector<std::string> kShells = {"bash", "zsh", "fish"};
  return kShells;
}

std::string completion_script(std::string_view shell, std::string_view program) {
  const std::string_view script = shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
  return replaced(replaced(std::string(script), " COMPLETE ", ' ' + std::string(kCompleteWord) + ' '), "PROGRAM",
                  program);
}

}  // namespace syncline::cli
