import { OAuthScope, ResourceServerScope, type UserPool } from 'aws-cdk-lib/aws-cognito';
import { gatewayScope, offeredScopes, type ScopeLevel } from '../../shared/access/offered-scopes.ts';

/** Adds a resource server for a level of scopes, such as `user` with the scope `*.cruds`, and returns its scopes. */
export const addScopes = (pool: UserPool, level: ScopeLevel): readonly OAuthScope[] => {
  const scopes = offeredScopes[level].map((scope) => {
    const scopeName = scope.slice(level.length + 1);
    return new ResourceServerScope({ scopeName, scopeDescription: scope });
  });
  const server = pool.addResourceServer(`Scopes-${level}`, { identifier: level, scopes });
  return scopes.map((scope) => OAuthScope.resourceServer(server, scope));
};

/** Adds the resource server of the scope that the gateway asks for, which no client has: the trigger adds it to tokens. */
export const addGatewayScope = (pool: UserPool): void => {
  const [identifier = '', scopeName = ''] = gatewayScope.split('/');
  const scope = new ResourceServerScope({ scopeName, scopeDescription: 'Has passed the pre-token trigger' });
  pool.addResourceServer('Gateway', { identifier, scopes: [scope] });
};
