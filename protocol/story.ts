/** One event of a workspace's story. Fields without a value are left out. */
export interface StoryEvent {
  at: string
  kind: 'message' | 'task' | 'file' | 'edit' | 'record'
  /** The agent that did it; null: the server, or its operator. */
  agent_id: string | null
  text: string
  task_id?: string
  file_key?: string
  version?: number
  message_id?: string
  seq?: number
}
