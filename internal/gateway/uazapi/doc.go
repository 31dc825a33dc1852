// Package uazapi speaks UAZAPI v2 (the vendor's OpenAPI document, version 2.0),
// and the one call of its predecessor that some installations still proxy.
//
// Facts that the OpenAPI document does not tell, but that its users report, are
// marked "observed" where they are used.
package uazapi
