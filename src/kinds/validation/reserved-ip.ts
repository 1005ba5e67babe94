import { type FieldError, fieldError } from '#machinery/errors.ts';
import { tolerantIp } from '#machinery/ip.ts';

/** Addresses that traffic must not be sent to on behalf of others. */
export function reservedIp(text: string, path: string): FieldError[] {
  const ip = tolerantIp(text);
  const refuse = (detail: string): FieldError[] => [fieldError.invalid(path, text, detail)];
  if (ip === undefined) return refuse('must be a valid IP address');
  if (ip === '0.0.0.0' || ip === '::') return refuse(`may not be unspecified (${text})`);
  if (ip.startsWith('127.') || ip === '::1') {
    return refuse('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  }
  if (ip.startsWith('169.254.') || /^fe[89ab]/i.test(ip)) {
    return refuse('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  }
  if (/^224\.0\.0\./.test(ip) || /^ff02:/i.test(ip)) {
    return refuse('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
  return [];
}
