import { Replica } from '../../../client/replica/replica.ts'

/** Appends numbers to the replica in argv[2] until it is killed; prints each once it is committed. */
const replica = await Replica.open(process.argv[2]!, () => {})
const list = replica.doc.getArray<number>('list')
process.stdout.write(`client ${replica.doc.clientID}\n`)
for (let i = list.length; ; i++) {
  list.push([i])
  replica.remember(`key ${i}`, { digest: 'd', answer: i })
  await replica.commit()
  process.stdout.write(`${i}\n`)
}
