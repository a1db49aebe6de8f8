// What protocol/, lib/ and workspace/ use of the platform, beside ECMAScript: tsconfig.pure.json compiles them with this
// file and without the types of Node and of the DOM. Each name is in the Minimum Common Web API (WinterTC).

declare class TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>
}

declare class TextDecoder {
  constructor(encoding?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })
  decode(bytes?: Uint8Array): string
}

/** The machine's secure random source; for new ids (protocol/fresh-ids.ts). */
declare const crypto: { getRandomValues<T extends Uint8Array>(bytes: T): T }
