/**
 * What a shell runs to complete a line: all of them ask `kubectl __complete` with the words so far, which answers one
 * candidate a line, a tab and a description behind it, and last a line with a colon that ends the list.
 */
export const scripts: Readonly<Record<string, string>> = {
  bash: `# bash completion for kubectl
__kubectl_complete() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  local IFS=$'\\n'
  local candidates
  candidates=$("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD-1}" "$current" 2>/dev/null | sed -e '/^:/d' -e 's/\\t.*//')
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F __kubectl_complete kubectl
`,
  zsh: `#compdef kubectl
compdef _kubectl kubectl
# zsh completion for kubectl
_kubectl() {
  local line
  local -a candidates
  while IFS=$'\\n' read -r line; do
    [[ "$line" == :* ]] && break
    candidates+=("\${\${line//:/\\\\:}/$'\\t'/:}")
  done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT-1]}" "\${words[CURRENT]}" 2>/dev/null)
  _describe 'kubectl' candidates
}
if [ "$funcstack[1]" = "_kubectl" ]; then
  _kubectl
fi
`,
  fish: `# fish completion for kubectl
function __kubectl_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  $words[1] __complete $words[2..-1] "$current" 2>/dev/null | string match -v ':*'
end
complete -c kubectl -f -a '(__kubectl_complete)'
`,
};
