/**
 * What a shell runs to complete a line: all of them ask `PROGRAM __complete` with the words so far, which answers one
 * candidate a line, a tab and a description behind it, and last a line with a colon that ends the list.
 */
const scripts: Readonly<Record<string, string>> = {
  bash: `# bash completion for PROGRAM
__PROGRAM_complete() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  local IFS=$'\\n'
  local candidates
  candidates=$("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "$current" 2>/dev/null | sed -e '/^:/d' -e 's/\\t.*//')
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F __PROGRAM_complete PROGRAM
`,
  zsh: `#compdef PROGRAM
compdef _PROGRAM PROGRAM
# zsh completion for PROGRAM
_PROGRAM() {
  local line
  local -a candidates
  while IFS=$'\\n' read -r line; do
    [[ "$line" == :* ]] && break
    candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}")
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT-1]}" "\${words[CURRENT]}" 2>/dev/null)
  _describe 'PROGRAM' candidates
}
if [ "$funcstack[1]" = "_PROGRAM" ]; then
  _PROGRAM
fi
`,
  fish: `# fish completion for PROGRAM
function __PROGRAM_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  $words[1] __complete $words[2..-1] "$current" 2>/dev/null | string match -v ':*'
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`,
};

/** The script of a shell for a program that knows `__complete`; undefined for a shell that nobody wrote one for. */
export function completionScript(shell: string, program: string): string | undefined {
  return Object.hasOwn(scripts, shell) ? scripts[shell]!.replaceAll('PROGRAM', program) : undefined;
}
