/**
 * The folders of the programs, lowest first: a folder imports only what stands above its line here, types included.
 * test/imports.test.ts holds it; ARCHITECTURE.md's floor plan is drawn from it.
 */
export const FLOORS: readonly string[] = []
