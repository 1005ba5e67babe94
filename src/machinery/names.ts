/**
 * What may be a name, a label, a key or a port. Each function gives the reasons why `value` is not one, in upstream's
 * words; an empty list means that it is. Lengths are bytes, as upstream counts them.
 */

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const underscoreLabel = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoreSubdomain = `${underscoreLabel}(\\.${underscoreLabel})*`;
const letterFirstLabel = '[a-z]([-a-z0-9]*[a-z0-9])?';
const labelKey = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`);
const patterns = {
  label: whole(label),
  subdomain: whole(subdomain),
  underscoreSubdomain: whole(underscoreSubdomain),
  rfc1035Label: whole(letterFirstLabel),
  wildcard: whole(`\\*\\.${subdomain}`),
  labelKey: whole(labelKey),
  labelValue: whole(`(${labelKey})?`),
  percent: /^[0-9]+%$/,
  headerName: /^[-A-Za-z0-9]+$/,
  configKey: /^[-._a-zA-Z0-9]+$/,
  identifier: /^[A-Za-z_][A-Za-z0-9_]*$/,
};

export const maximumNameBytes = 253;
const maximumLabelBytes = 63;
const maximumPortNameBytes = 15;

const encoder = new TextEncoder();

/** Length in UTF-8, which is how upstream measures. */
export function byteLength(text: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f) return encoder.encode(text).length;
  }
  return text.length;
}

/** Names and labels count the same bytes, but upstream calls them differently. */
function tooLong(value: string, bytes: number, unit: 'bytes' | 'characters'): string[] {
  return byteLength(value) > bytes ? [`must be no more than ${bytes} ${unit}`] : [];
}

/** `… (e.g. 'a', or 'b', regex used for validation is '…')`. */
export function patternMessage(what: string, pattern: string, ...examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return examples.length === 0
    ? `${what} (regex used for validation is '${pattern}')`
    : `${what} (e.g. ${shown}regex used for validation is '${pattern}')`;
}

export function rangeMessage(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

/** A DNS label as RFC 1123 has it. */
export function label1123Problems(value: string): string[] {
  const problems = tooLong(value, maximumLabelBytes, 'characters');
  if (patterns.label.test(value)) return problems;
  if (patterns.subdomain.test(value)) return [...problems, 'must not contain dots'];
  const what =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...problems, patternMessage(what, label, 'my-name', '123-abc')];
}

/** A DNS subdomain as RFC 1123 has it: the usual name of an object. */
export function subdomainProblems(value: string, unit: 'bytes' | 'characters' = 'characters'): string[] {
  const problems = tooLong(value, maximumNameBytes, unit);
  if (patterns.subdomain.test(value)) return problems;
  const what =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...problems, patternMessage(what, subdomain, 'example.com')];
}

/** A DNS subdomain whose labels may begin with an underscore, as those of services do. */
export function underscoreSubdomainProblems(value: string): string[] {
  const problems = tooLong(value, maximumNameBytes, 'characters');
  if (patterns.underscoreSubdomain.test(value)) return problems;
  const what =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
  return [...problems, patternMessage(what, underscoreSubdomain, 'example.com')];
}

/** A DNS label that starts with a letter, as RFC 1035 has it. */
export function label1035Problems(value: string): string[] {
  const problems = tooLong(value, maximumLabelBytes, 'characters');
  if (patterns.rfc1035Label.test(value)) return problems;
  const what =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...problems, patternMessage(what, letterFirstLabel, 'my-name', 'abc-123')];
}

export function wildcardSubdomainProblems(value: string): string[] {
  const problems = tooLong(value, maximumNameBytes, 'characters');
  if (patterns.wildcard.test(value)) return problems;
  const what =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...problems, patternMessage(what, `\\*\\.${subdomain}`, '*.example.com')];
}

/** A name that stands as one segment in a path. */
export function pathSegmentProblems(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
}

/** What upstream's own client says of a name that it cannot ask for. */
export function unusableName(name: string, problems: readonly string[]): string {
  return `invalid resource name ${JSON.stringify(name)}: [${problems.join(' ')}]`;
}

function labelKeyPattern(): string {
  const what =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return patternMessage(what, labelKey, 'MyName', 'my.name', '123-abc');
}

/** A label's or annotation's key, and other qualified names: `example.com/name` or `name`. */
export function labelKeyProblems(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${labelKeyPattern()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1)!;
  const prefix = parts.length === 2 ? parts[0]! : undefined;
  const problems: string[] = [];
  if (prefix === '') problems.push('prefix part must be non-empty');
  else if (prefix !== undefined)
    problems.push(...subdomainProblems(prefix, 'bytes').map((problem) => `prefix part ${problem}`));
  if (name === '') problems.push('name part must be non-empty');
  else problems.push(...tooLong(name, maximumLabelBytes, 'bytes').map((problem) => `name part ${problem}`));
  if (!patterns.labelKey.test(name)) problems.push(`name part ${labelKeyPattern()}`);
  return problems;
}

export function labelValueProblems(value: string): string[] {
  const problems = tooLong(value, maximumLabelBytes, 'bytes');
  if (patterns.labelValue.test(value)) return problems;
  const what =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...problems, patternMessage(what, `(${labelKey})?`, 'MyValue', 'my_value', '12345')];
}

/** A container's environment variable: any printable ASCII but `=`. */
export function environmentNameProblems(value: string): string[] {
  const problems = value === '' ? ['environment variable name must be non-empty'] : [];
  if (/^[\x20-\x3c\x3e-\x7e]*$/.test(value)) return problems;
  return [
    ...problems,
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
}

/** A key of a ConfigMap or Secret. */
export function configKeyProblems(value: string): string[] {
  const problems = tooLong(value, maximumNameBytes, 'characters');
  if (!patterns.configKey.test(value)) {
    const what = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(patternMessage(what, '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name'));
  }
  if (value === '.') problems.push("must not be '.'");
  else if (value === '..') problems.push("must not be '..'");
  else if (value.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

export function headerNameProblems(value: string): string[] {
  if (patterns.headerName.test(value)) return [];
  const what = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [patternMessage(what, '[-A-Za-z0-9]+', 'X-Header-Name')];
}

export function percentProblems(value: string): string[] {
  if (patterns.percent.test(value)) return [];
  const what = "a valid percent string must be a numeric string followed by an ending '%'";
  return [patternMessage(what, '[0-9]+%', '1%', '93%')];
}

export function identifierProblems(value: string): string[] {
  if (patterns.identifier.test(value)) return [];
  const what =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
  return [patternMessage(what, '[A-Za-z_][A-Za-z0-9_]*', 'my_name', 'MY_NAME', 'MyName')];
}

export function portNumberProblems(value: number): string[] {
  return Number.isInteger(value) && value >= 1 && value <= 65535 ? [] : [rangeMessage(1, 65535)];
}

/** An IANA service name (RFC 6335), in lower case. */
export function portNameProblems(value: string): string[] {
  const problems = tooLong(value, maximumPortNameBytes, 'characters');
  if (!/^[-a-z0-9]+$/.test(value)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}
