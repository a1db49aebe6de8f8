import { random } from '../../protocol/fresh-ids.ts'

/** Most Yjs client ids that a browser keeps for its tabs. */
const MOST = 32

const fresh = (): number => new DataView(random(new Uint8Array(4)).buffer).getUint32(0)

/**
 * Takes one of the few Yjs client ids of this browser for as long as the tab lives: every id stays in the document for
 * good. A lock of the browser keeps two tabs from the same one. An id that was used before may be used again once this
 * tab has the server's operations of it; null: there are no locks here (no TLS), or all are taken.
 */
export const leaseClientId = async (workspace: string): Promise<number | null> => {
  if (!('locks' in navigator)) return null
  for (let n = 0; n < MOST; n++) {
    const name = `clawlink-client-${workspace}-${n}`
    if (!(await hold(name))) continue
    const kept = Number(localStorage.getItem(name))
    if (Number.isSafeInteger(kept) && kept > 0) return kept
    const id = fresh()
    localStorage.setItem(name, String(id))
    return id
  }
  return null
}

/** Holds a lock until the tab ends; false: another tab has it. */
const hold = (name: string): Promise<boolean> =>
  new Promise((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null)
      return lock === null ? undefined : new Promise<never>(() => {})
    })
  })
