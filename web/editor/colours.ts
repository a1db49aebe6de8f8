import {
  defineLanguageFacet,
  Language,
  StreamLanguage,
  type StreamParser,
  syntaxHighlighting,
} from '@codemirror/language'
import { StateEffect } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import type { Parser } from '@lezer/common'
import { tags as t, tagHighlighter } from '@lezer/highlight'

/** Finds the words of a language: by lines, or as a tree. Both do what is in view, in small steps. */
export type Grammar = StreamParser<unknown> | Parser

/** The colours are classes of the page's style sheet, which read on a dark ground and on a light one. */
const looks = tagHighlighter([
  {
    tag: [t.keyword, t.atom, t.bool, t.null, t.self, t.tagName, t.processingInstruction],
    class: 'tok-keyword c3',
  },
  {
    tag: [t.string, t.regexp, t.special(t.string), t.monospace, t.inserted, t.quote],
    class: 'tok-string c2',
  },
  {
    tag: [t.number, t.unit, t.color, t.typeName, t.className, t.standard(t.variableName)],
    class: 'tok-number c1',
  },
  { tag: [t.propertyName, t.attributeName, t.link, t.url], class: 'tok-property c0' },
  { tag: [t.comment, t.meta], class: 'tok-comment faint' },
  { tag: t.deleted, class: 'tok-deleted c4' },
  { tag: [t.heading, t.strong, t.definition(t.variableName)], class: 'tok-strong' },
  { tag: t.emphasis, class: 'tok-emphasis' },
])

const weights = EditorView.baseTheme({
  '.tok-strong': { fontWeight: '600' },
  '.tok-emphasis': { fontStyle: 'italic' },
})

const languageIn = (grammar: Grammar): Language =>
  'token' in grammar ? StreamLanguage.define(grammar) : new Language(defineLanguageFacet(), grammar)

/** Gives the words of an editor's text colours, from now on. */
export const addColours = (view: EditorView, grammar: Grammar): void => {
  const parts = [languageIn(grammar), syntaxHighlighting(looks), weights]
  view.dispatch({ effects: StateEffect.appendConfig.of(parts) })
}
