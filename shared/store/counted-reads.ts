import { BatchGetCommand, type DynamoDBDocumentClient, GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { RecordStore } from './record-store.ts';

/** A store whose calls that read are counted: those of one request, whatever others do at the same time. */
export class CountedReads {
  readonly store: RecordStore;
  #calls = 0;

  constructor(store: RecordStore) {
    const { client } = store;
    const send = (command: object) => {
      if (command instanceof GetCommand || command instanceof BatchGetCommand || command instanceof QueryCommand)
        this.#calls++;
      return client.send(command as never);
    };
    this.store = store.through(Object.assign(Object.create(client) as DynamoDBDocumentClient, { send }));
  }

  get calls(): number {
    return this.#calls;
  }
}
