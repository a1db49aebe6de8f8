import * as z from 'zod'
import { isBlobName } from '../../protocol/ids.ts'
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from '../../protocol/limits.ts'
import type { Field, Fields, InputOf, Shape } from '../../workspace/actions/inputs/field.ts'
import { anyJson } from './request.ts'

/** The acting agent. Default: the credential's agent. The owner must name one. */
const by = z.string().min(1).max(MAX_NAME_BYTES).optional()

const shapeOf = (shape: Shape): z.ZodType => {
  switch (shape.kind) {
    case 'name':
    case 'text': {
      const text = shape.least === 0 ? z.string() : z.string().min(shape.least)
      return shape.most === undefined ? text : text.max(shape.most)
    }
    case 'path':
      return z.string().min(1).max(MAX_PATH_BYTES)
    case 'list':
      return z.array(shape.of === undefined ? z.string() : shapeOf(shape.of)).max(shape.most)
    case 'json':
      return anyJson
    case 'choice':
      return z.enum(shape.words)
    case 'number':
      return (shape.hasFraction ? z.number() : z.number().int()).min(shape.least).max(shape.most)
    case 'yes':
      return z.boolean()
    case 'moment':
      return z.iso.datetime({ offset: true })
    case 'blob':
      return z.string().refine(isBlobName, 'not the SHA-256 of a blob')
    case 'object':
      return z.strictObject(schemasOf(shape.fields))
  }
}

const fieldOf = ({ shape, what, isOptional, otherwise }: Field<unknown>): z.ZodType => {
  const bare = shapeOf(shape)
  const schema = what === undefined ? bare : bare.describe(what)
  if (isOptional) return schema.optional()
  return otherwise === undefined ? schema : schema.default(otherwise)
}

const schemasOf = (fields: Fields): Record<string, z.ZodType> =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fieldOf(field)]))

/** The values of a body. */
export type BodyOf<F extends Fields> = InputOf<F> & { by?: string | undefined }

/** The schema of a JSON body with an action's input. `inPath`: the fields that are in the path instead. */
export const bodyOf = <F extends Fields, P extends keyof F & string = never>(
  fields: F,
  inPath: readonly P[] = [],
): z.ZodType<Omit<BodyOf<F>, P>> => {
  const schemas = schemasOf(fields)
  for (const name of inPath) delete schemas[name]
  const body = z.strictObject({ by, ...schemas })
  return body as unknown as z.ZodType<Omit<BodyOf<F>, P>>
}
