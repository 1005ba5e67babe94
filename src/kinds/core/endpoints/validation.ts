import type * as core from '#kinds/generated/types/core_v1.ts';
import { each, invalidAll, requiredOneOf } from '#kinds/validation/common.ts';
import { reservedIp } from '#kinds/validation/reserved-ip.ts';
import { type FieldError, fieldError } from '#machinery/errors.ts';
import { ipProblems } from '#machinery/ip.ts';
import { label1123Problems, labelKeyProblems, portNumberProblems, subdomainProblems } from '#machinery/names.ts';

export function validateEndpoints(endpoints: core.Endpoints): FieldError[] {
  return each(endpoints.subsets, 'subsets', (subset, path) => {
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    const errors: FieldError[] = [];
    if (addresses.length + notReadyAddresses.length === 0) {
      errors.push(fieldError.required(path, 'must specify `addresses` or `notReadyAddresses`'));
    }
    const address = ({ ip, hostname = '', nodeName }: core.EndpointAddress, at: string): FieldError[] => [
      ...invalidAll(`${at}.ip`, ip, ipProblems(ip)),
      ...(hostname === '' ? [] : invalidAll(`${at}.hostname`, hostname, label1123Problems(hostname))),
      ...(nodeName === undefined ? [] : invalidAll(`${at}.nodeName`, nodeName, subdomainProblems(nodeName))),
      ...reservedIp(ip, `${at}.ip`),
    ];
    return [
      ...errors,
      ...each(addresses, `${path}.addresses`, address),
      ...each(notReadyAddresses, `${path}.notReadyAddresses`, address),
      ...each(ports, `${path}.ports`, ({ name = '', port, protocol, appProtocol }, at) => [
        ...(ports.length > 1 && name === '' ? [fieldError.required(`${at}.name`)] : []),
        ...(name === '' ? [] : invalidAll(`${at}.name`, name, label1123Problems(name))),
        ...invalidAll(`${at}.port`, port, portNumberProblems(port)),
        ...requiredOneOf(protocol, ['SCTP', 'TCP', 'UDP'], `${at}.protocol`),
        ...(appProtocol === undefined
          ? []
          : invalidAll(`${at}.appProtocol`, appProtocol, labelKeyProblems(appProtocol))),
      ]),
    ];
  });
}
