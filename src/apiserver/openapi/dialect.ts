/** What differs between OpenAPI v2 and v3 where types and parameters are written down. */
export interface Dialect {
  readonly version: 2 | 3;
  readonly referencePrefix: string;
}

export const openApi2: Dialect = { version: 2, referencePrefix: '#/definitions/' };
export const openApi3: Dialect = { version: 3, referencePrefix: '#/components/schemas/' };
