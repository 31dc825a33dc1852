// Package drafts has the texts of the AI written ahead of their time, off the reconcile workers, so that a
// slow AI delays no message that is already written. Pool keeps what was written, queue decides whose text
// is written next, and a worker writes it: within the Store's budget, checked by the guard, and reviewed.
//
// Drafts live in the leader's memory. A restart loses them, and they are simply written again. The package
// reads and writes no objects and sends no messages: the controller does.
package drafts
