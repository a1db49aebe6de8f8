import * as z from 'zod'
import { MAX_PATH_BYTES } from '../../protocol/limits.ts'
import { acceptSuggestion, rejectSuggestion, suggest } from '../../workspace/actions/suggest.ts'
import { listSuggestions, suggestionDiff } from '../../workspace/files/suggestions.ts'
import { MAX_FILE_BODY_BYTES } from '../config/limits.ts'
import { type Route, route } from '../http/route.ts'
import { FileInfo, Suggestion } from '../http/shapes.ts'
import { wholeSuggestion } from '../http-agents/suggestions.ts'
import { look } from './agent-request.ts'
import { at, servingIn } from './agent-route.ts'
import type { AppEnv } from './env.ts'

const ListQuery = z.strictObject({
  key: z.string().min(1).max(MAX_PATH_BYTES).optional(),
  all: z.stringbool().default(false),
})

const One = z.object({ suggestion: Suggestion })

/** Proposals to change shared files. The server is their only writer. */
export const suggestionRoutes = (env: AppEnv): Route[] => {
  const serving = servingIn(env)
  const judged = { method: 'POST', inPath: { suggestion: 'suggestion' }, isCommand: true } as const
  return [
    serving({
      ...{ method: 'POST', rest: 'suggestions', action: suggest, answer: One },
      ...{ summary: 'Proposes a change of a file, which another agent may accept' },
      ...{ maxBytes: MAX_FILE_BODY_BYTES, isKeyedByHeader: true },
    }),
    route({
      ...{ method: 'GET', path: at('suggestions'), needs: 'read', query: ListQuery },
      summary: 'The suggestions that wait, of all files or of one; with `all` ended ones, too',
      answer: z.object({ suggestions: z.array(Suggestion), count: z.number() }),
      run: (asked) =>
        look(env, asked, ({ doc }) => {
          const suggestions = listSuggestions(doc, asked.query)
          return { suggestions, count: suggestions.length }
        }),
    }),
    route({
      ...{ method: 'GET', path: at('suggestions/:suggestion'), needs: 'read' },
      summary: 'One suggestion with its hunks, as they apply now',
      answer: z.object({ suggestion: Suggestion, diff: z.array(z.string()) }),
      run: async (asked) => {
        const id = asked.c.req.param('suggestion')!
        const suggestion = await wholeSuggestion(env, asked.workspace, id, (work) =>
          look(env, asked, ({ doc }) => ({ found: work(doc) })),
        )
        return { suggestion, diff: suggestionDiff(suggestion) }
      },
    }),
    serving({
      ...{ ...judged, rest: 'suggestions/:suggestion/accept', action: acceptSuggestion },
      summary: 'Takes hunks of a suggestion into its file, in its proposer’s name',
      answer: One.extend({ file: FileInfo, accepted: z.array(z.number()) }),
    }),
    serving({
      ...{ ...judged, rest: 'suggestions/:suggestion/reject', action: rejectSuggestion },
      ...{ summary: 'Rejects what waits of a suggestion, or withdraws one’s own', answer: One },
    }),
  ]
}
