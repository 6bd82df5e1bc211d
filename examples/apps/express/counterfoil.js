// Who made this request, as the gateway says: verifies the header Counterfoil-Assertion of a Node request.

import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';

const APP = process.env.COUNTERFOIL_APP; // the app's name in the gateway's configuration
const ORIGINS = process.env.COUNTERFOIL_ORIGINS.split(' '); // where browsers find it, such as https://shop.example.com
const ALGORITHM = process.env.COUNTERFOIL_ALGORITHM ?? 'ES256'; // or EdDSA: as the app's `assertion` there says
const KEYS = createRemoteJWKSet(new URL(process.env.COUNTERFOIL_JWKS), {
  cacheMaxAge: 300_000, cooldownDuration: 3_000, timeoutDuration: 3_000,
});

// The request did not come through the gateway, or not as it is. Answer 403.
export class Bypassed extends Error {}

// The gateway's keys cannot be had. Answer 503; let nobody in.
export class Unavailable extends Error {}

// The claims of the assertion. `sub` is the person; where it is absent, nobody is signed in.
export async function verify(request) {
  const assertions = request.headersDistinct['counterfoil-assertion'] ?? [];
  if (assertions.length !== 1) throw new Bypassed('not exactly one assertion');
  const { payload } = await jwtVerify(assertions[0], keyOf, {
    algorithms: [ALGORITHM], typ: 'counterfoil+jwt', audience: APP, issuer: ORIGINS,
    requiredClaims: ['exp', 'req'], maxTokenAge: 60, clockTolerance: 5, // maxTokenAge also looks at iat
  }).catch((error) => {
    throw error instanceof Unavailable ? error : new Bypassed(error.message);
  });
  if (payload.req !== binding(request)) throw new Bypassed('made for another request');
  return payload;
}

async function keyOf(header, token) {
  if (typeof header.kid !== 'string') throw new Bypassed('no kid');
  return KEYS(header, token).catch((error) => {
    throw error instanceof errors.JWKSNoMatchingKey ? error : new Unavailable(error.message);
  });
}

// What `req` must be: method, host and target of this request, as they came, not as a router rewrote them.
function binding(request) {
  const host = (request.headers.host ?? '').toLowerCase().replace(/:443$/, '');
  const target = request.originalUrl ?? request.url;
  return createHash('sha256').update([request.method, host, target].join('\n'), 'latin1').digest('base64url');
}
