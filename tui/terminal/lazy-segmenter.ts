/** Intl.Segmenter, made with its first use, which many texts never come to: Node takes 9 ms for the first one. */
export class LazySegmenter {
  readonly #options: ConstructorParameters<typeof Intl.Segmenter>
  #made: Intl.Segmenter | null = null

  constructor(...options: ConstructorParameters<typeof Intl.Segmenter>) {
    this.#options = options
  }

  segment(text: string): Intl.Segments {
    this.#made ??= new globalThis.Intl.Segmenter(...this.#options)
    return this.#made.segment(text)
  }
}
