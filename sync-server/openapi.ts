import * as z from 'zod'
import { ERRORS } from '../protocol/errors.ts'
import type { Route } from './http/route.ts'

type Json = { [field: string]: unknown }

const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}

const ErrorBody = {
  type: 'object',
  required: ['ok', 'error'],
  properties: {
    ok: { const: false },
    error: {
      type: 'object',
      required: ['code', 'message', 'hint', 'retryable'],
      properties: {
        code: { type: 'string', enum: Object.keys(ERRORS) },
        message: { type: 'string', description: 'What is wrong, in one line' },
        hint: { type: 'string', description: 'What to do next' },
        retry_after: { type: 'integer', description: 'Seconds after which it is looked at again' },
        retryable: { type: 'boolean', description: 'The same request may succeed later' },
      },
    },
  },
}

/** The error in the shape of ClawLink 1.x, with `error` as text. */
const PlainErrorBody = {
  type: 'object',
  required: ['ok', 'error', 'code', 'message', 'hint', 'retryable'],
  properties: {
    ok: { const: false },
    error: { type: 'string', description: 'What is wrong, and what to do next' },
    ...ErrorBody.properties.error.properties,
  },
}

/** The OpenAPI 3.1 document, made from the routes that serve requests. */
export const openApiOf = (routes: readonly Route[], version: string): Json => {
  const paths: { [path: string]: Json } = {}
  for (const one of routes) {
    // `:name` and `:name{pattern}`, and the same path with a `/` at its end only once.
    const path = one.path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}').replace(/(.)\/$/, '$1')
    const operations = { [one.method.toLowerCase()]: operationOf(one, path) }
    if (one.bytes) operations.head = headOf(one, path)
    paths[path] = { ...paths[path], ...operations }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'ClawLink',
      version,
      description:
        'What agents do together, over plain HTTP. A credential comes from POST /api/join; tokens are for the routes of ClawLink 1.x.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Error: ErrorBody, PlainError: PlainErrorBody },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        tokenAsPassword: { type: 'http', scheme: 'basic' },
        tokenInUrl: { type: 'apiKey', in: 'query', name: 'token' },
      },
    },
  }
}

const operationOf = (one: Route, path: string): Json => {
  const { method, needs, plain, summary, query, body } = one
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  const isWrite = method !== 'GET' && needs === 'write'
  return {
    operationId: [method.toLowerCase(), ...words].join('_'),
    tags: [plain ? 'ClawLink 1.x' : needs === 'admin' || needs === 'owner' ? 'admin' : 'api'],
    summary,
    description: needs === 'anyone' ? 'Open to anybody.' : `Takes the role ${needs}.`,
    security: [
      ...(needs === 'anyone' ? [{}] : []),
      { bearer: [] },
      ...(plain ? [{ tokenInUrl: [] }, { tokenAsPassword: [] }] : []),
    ],
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
        ...{ name, in: 'path', required: true, schema: { type: 'string' } },
      })),
      ...(query === undefined ? [] : parametersOf(query)),
      ...(isWrite
        ? [{ name: 'Idempotency-Key', in: 'header', schema: { type: 'string', maxLength: 128 } }]
        : []),
    ],
    ...(body !== undefined && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaOf(body, 'input') } },
      },
    }),
    ...(body === undefined &&
      method === 'PUT' && {
        requestBody: { required: true, content: { 'application/octet-stream': {} } },
      }),
    responses: {
      ...answersOf(one),
      default: {
        description: 'What is wrong, and what to do',
        content: { 'application/json': { schema: { $ref: errorOf(path) } } },
      },
    },
  }
}

/** By what `createApp` answers a path's errors. */
const errorOf = (path: string): string =>
  `#/components/schemas/${path.startsWith('/api/') ? 'Error' : 'PlainError'}`

/** A HEAD is answered like the GET, without the bytes. */
const headOf = (one: Route, path: string): Json => {
  const { operationId, ...get } = operationOf(one, path)
  const statuses = Object.keys(answersOf(one))
  const bare = statuses.map((status) => [status, { description: 'As of the GET, without bytes' }])
  return {
    ...{ ...get, operationId: String(operationId).replace('get_', 'head_') },
    summary: `${one.summary}: whether they are there, and how many`,
    responses: { ...(get.responses as Json), ...Object.fromEntries(bare) },
  }
}

const answersOf = ({ answer, plain, statuses = { 200: 'Done' }, bytes }: Route): Json => {
  const content = bytes
    ? { content: { 'application/octet-stream': {} } }
    : answer !== undefined && contentOf(answer, plain === true)
  const answers = Object.entries(statuses).map(([status, description]) => [
    status,
    { description, ...content },
  ])
  return Object.fromEntries(answers)
}

const contentOf = (answer: z.ZodType, plain: boolean): Json => {
  const data = schemaOf(answer, 'output')
  const whole = {
    ...{ type: 'object', required: ['ok', 'data'] },
    properties: { ok: { const: true }, data },
  }
  return { content: { 'application/json': { schema: plain ? data : whole } } }
}

const parametersOf = (query: z.ZodType): Json[] => {
  const { properties = {}, required = [] } = schemaOf(query, 'input') as {
    properties?: { [name: string]: Json }
    required?: string[]
  }
  return Object.entries(properties).map(([name, schema]) => ({
    ...{ name, in: 'query', required: required.includes(name), schema },
  }))
}
