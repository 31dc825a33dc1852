// Package evolution speaks the Evolution API, version 2 (its source, release 2.3.6), and
// version 1 (release 1.8) where an instance asks for that dialect.
//
// Every call carries a key in the header apikey: the server's global key for making and looking for instances, the
// instance's own token for all else. An instance's token opens nothing but that instance, so that no call of the
// operator can touch an instance that it did not make.
//
// Ownership: the server keeps no mark with an instance, but lets its creator choose the token. Create makes one that
// begins with the UID of the WhatsAppInstance, and Find accepts an instance of the name only when its token begins so.
//
// Messages that were sent cannot be found again: sendText takes no mark and no message id
// of the client's, and the server's records are looked up by message id, which nobody knows
// who got no answer. FindSent is therefore gateway.ErrNoLookup, and a send whose answer was
// lost stays unknown, unless the server tells of it later (the event SEND_MESSAGE).
//
// The server answers before it has loaded its instances, forgets a deleted instance's name
// only some time later, and hears nothing any more through an instance that was logged out by
// a call: see docs/decisions/0050-evolution-is-never-logged-out.md.
//
// The server replaces nothing in texts: they arrive to the letter.
package evolution
