/** Ink uses `Promise.withResolvers`, which Node has from 22 on. To be imported before ink is. */
const promises = Promise as { withResolvers?: unknown }
if (promises.withResolvers === undefined) {
  promises.withResolvers = <T>() => {
    let resolve!: (value: T | PromiseLike<T>) => void
    let reject!: (reason?: unknown) => void
    const promise = new Promise<T>((yes, no) => {
      resolve = yes
      reject = no
    })
    return { promise, resolve, reject }
  }
}
