// Little is ever deleted: a record that is wrong is marked as entered in error.
export { deleteByCondition, deleteRecord } from './delete.ts';
