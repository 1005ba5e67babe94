import type { AdmissionAttributes } from './plugin.ts';

/**
 * What the mutating phase remembers while it runs once, or twice when a webhook or policy changed something that
 * earlier ones want to see (`reinvocationPolicy: IfNeeded`).
 */
export class Reinvocation {
  /** Somebody asked for the second pass. */
  wanted = false;
  /** This is the second pass. */
  again = false;
  /** What each plugin noted in the first pass, by plugin name. */
  readonly notes = new Map<string, unknown>();
}

/** The attributes' own, made when it is first asked for. */
export function reinvocationOf(attributes: AdmissionAttributes): Reinvocation {
  attributes.reinvocation ??= new Reinvocation();
  return attributes.reinvocation;
}
