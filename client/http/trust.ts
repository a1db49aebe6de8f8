import { readFileSync } from 'node:fs'
import { rootCertificates } from 'node:tls'
import { ClawError } from '../../protocol/errors.ts'

/**
 * Node's codes for an untrusted certificate: OpenSSL's X509_V_ERR names, and Node's own for a wrong
 * host name.
 */
const UNTRUSTED: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'who signed it is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'who signed it is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'who signed it is not known here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its chain is not whole, or who signed it is not known here',
  CERT_REVOKED: 'it was revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it is for another name',
}

/** A link has the variables that it was started with. */
const ANEW = '; a link that runs takes it up after: clawlink-agent down'

/** The error of a server whose certificate is not trusted; null: the error is of something else. */
export const untrusted = (base: string, code: string | undefined): ClawError | null => {
  const why = code === undefined ? undefined : UNTRUSTED[code]
  if (why === undefined) return null
  return new ClawError(
    'bad_certificate',
    `the certificate of ${base} is not to be trusted: ${why} (${code})`,
    `check the name in --relay; a certificate of your own is trusted by CLAWLINK_CA=FILE (PEM)${ANEW}`,
  )
}

/** The TLS options for a URL. Throws `usage` if CLAWLINK_CA names no certificate. */
export const tlsFor = (url: URL): { ca?: string[] } => (url.protocol === 'https:' ? trusted() : {})

/** The certificates that are trusted beside Node's own, by `CLAWLINK_CA`. Throws `usage` where it cannot be read. */
export const trusted = (): { ca?: string[] } => {
  const path = process.env.CLAWLINK_CA
  if (!path) return {}
  try {
    return { ca: [...rootCertificates, readFileSync(path, 'utf8')] }
  } catch (error) {
    throw new ClawError(
      'usage',
      `CLAWLINK_CA: ${(error as Error).message}`,
      `name a file in PEM${ANEW}`,
    )
  }
}
