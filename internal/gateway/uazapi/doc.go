// Package uazapi speaks UAZAPI v2 (the vendor's OpenAPI document, version 2.0),
// and the one call of its predecessor that some installations still proxy.
//
// Facts that the OpenAPI document does not tell, but that its users report, are
// marked "observed" where they are used. GET /instance/wa_messages_limits is not called:
// a restricted number is told by the refused send itself, with its end.
package uazapi
