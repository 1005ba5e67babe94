import type { Toleration } from '#kinds/generated/types/core_v1.ts';

/** Without those that another one covers, and each once. */
export function mergeTolerations(tolerations: readonly Toleration[]): readonly Toleration[] {
  return tolerations.filter(
    (one, index) =>
      !tolerations.some((other, place) => {
        if (place === index || !isCovered(one, other)) return false;
        return !isCovered(other, one) || place < index;
      }),
  );
}

/** Whether everything that `one` tolerates is tolerated by `wide`. */
export function isCovered(one: Toleration, wide: Toleration): boolean {
  const wideOperator = wide.operator || 'Equal';
  const oneOperator = one.operator || 'Equal';
  if ((wide.key ?? '') === '' && wideOperator === 'Exists') return coversEffect(one, wide);
  if ((one.key ?? '') !== (wide.key ?? '') || !coversEffect(one, wide)) return false;
  if (wideOperator === 'Exists') return true;
  return oneOperator === wideOperator && (one.value ?? '') === (wide.value ?? '');
}

function coversEffect(one: Toleration, wide: Toleration): boolean {
  if ((wide.effect ?? '') !== '' && wide.effect !== one.effect) return false;
  if (wide.effect !== 'NoExecute' || wide.tolerationSeconds === undefined) return true;
  return one.tolerationSeconds !== undefined && one.tolerationSeconds <= wide.tolerationSeconds;
}
