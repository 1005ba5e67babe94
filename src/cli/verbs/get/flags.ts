import { booleanFlag, type FlagValues, integerFlag, listFlag, textFlag } from '../../flags.ts';
import { printFlags } from '../../output/printers.ts';
import { fileFlags } from '../../resources/files.ts';

export const getFlags = {
  ...fileFlags,
  ...printFlags,
  output: textFlag(
    'Output format. One of: (json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file, custom-columns, custom-columns-file, wide).',
    { short: 'o' },
  ),
  'all-namespaces': booleanFlag(
    'If present, list the requested object(s) across all namespaces. Namespace in current context is ignored even if specified with --namespace.',
    { short: 'A' },
  ),
  'chunk-size': integerFlag(500, 'Return large lists in chunks rather than all at once. Pass 0 to disable.'),
  'field-selector': textFlag(
    "Selector (field query) to filter on, supports '=', '==', and '!='.(e.g. --field-selector key1=value1,key2=value2). The server only supports a limited number of field queries per type.",
  ),
  'ignore-not-found': booleanFlag(
    'If set to true, suppresses NotFound error for specific objects that do not exist. Using this flag with commands that query for collections of resources has no effect when no resources are found.',
  ),
  'label-columns': listFlag(
    'Accepts a comma separated list of labels that are going to be presented as columns. Names are case-sensitive.',
    { short: 'L' },
  ),
  'no-headers': booleanFlag(
    "When using the default or custom-column output format, don't print headers (default print headers).",
  ),
  'output-watch-events': booleanFlag(
    'Output watch event objects when --watch or --watch-only is used. Existing objects are output as initial ADDED events.',
  ),
  raw: textFlag('Raw URI to request from the server. Uses the transport specified by the kubeconfig file.'),
  selector: textFlag(
    "Selector (label query) to filter on, supports '=', '==', '!=', 'in', 'notin'.(e.g. -l key1=value1,key2=value2,key3 in (value3)). Matching objects must satisfy all of the specified label constraints.",
    { short: 'l' },
  ),
  'server-print': booleanFlag('If true, have the server return the appropriate table output.', { initial: true }),
  'show-kind': booleanFlag('If present, list the resource type for the requested object(s).'),
  'show-labels': booleanFlag('When printing, show all labels as the last column (default hide labels column)'),
  'sort-by': textFlag(
    "If non-empty, sort list types using this field specification. The field specification is expressed as a JSONPath expression (e.g. '{.metadata.name}'). The field in the API resource specified by this JSONPath expression must be an integer or a string.",
  ),
  subresource: textFlag('If specified, gets the subresource of the requested object.'),
  watch: booleanFlag('After listing/getting the requested object, watch for changes.', { short: 'w' }),
  'watch-only': booleanFlag('Watch for changes to the requested object(s), without listing/getting first.'),
} as const;

export type GetFlags = FlagValues<typeof getFlags>;
