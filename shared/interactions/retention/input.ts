/** `Patient/{id}/$legal-hold`, `$release-hold` and `$purge` */
export const retentionInput = { reason: { type: 'string', min: 1 } } as const;
