import type { Taint, Toleration } from '#kinds/generated/types/core_v1.ts';

/** Whether the toleration covers the taint; an absent key with `Exists` covers all, an absent effect every effect. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if ((toleration.effect ?? '') !== '' && toleration.effect !== taint.effect) return false;
  if ((toleration.key ?? '') !== '' && toleration.key !== taint.key) return false;
  switch (toleration.operator ?? '') {
    case '':
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '');
    case 'Exists':
      return true;
    case 'Lt':
    case 'Gt':
      return compares(toleration, taint);
    default:
      return false;
  }
}

/** KEP-5471: numeric tolerations; both sides must be whole numbers. */
function compares({ operator, value }: Toleration, taint: Taint): boolean {
  if (!wholeNumber.test(value ?? '') || !wholeNumber.test(taint.value ?? '')) return false;
  const wanted = BigInt(value ?? '');
  const actual = BigInt(taint.value ?? '');
  return operator === 'Lt' ? actual < wanted : actual > wanted;
}

const wholeNumber = /^(0|-?[1-9]\d{0,18})$/;

/** The first taint with one of these effects that no toleration covers. */
export function untoleratedTaint(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return taints?.find(
    (taint) =>
      effects.includes(taint.effect) && !(tolerations ?? []).some((toleration) => tolerates(toleration, taint)),
  );
}
