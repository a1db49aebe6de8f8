import * as Y from 'yjs'

/**
 * An empty document without a guid: nothing here reads one, and lib0 asks the system for random bytes 32 times to make
 * one.
 */
export const newDoc = (): Y.Doc => new Y.Doc({ guid: '' })
