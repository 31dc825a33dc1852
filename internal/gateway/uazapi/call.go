package uazapi

import (
	"context"
	"net/http"

	"cartrecovery.dev/operator/internal/failure"
	"cartrecovery.dev/operator/internal/gateway/wire"
)

// call is one request to the server.
type call struct {
	wire.Call
	// admin: authorised by the account's token instead of the instance's.
	admin bool
	// send: the call sends a message, so the server may refuse its recipient.
	send bool
}

// do makes the call with the credentials it needs and returns the body of a 2xx answer.
// Every failure is a *failure.Error.
func (c *client) do(ctx context.Context, r call) ([]byte, error) {
	r.Header, r.Token = "token", c.endpoint.Token
	if r.admin {
		r.Header, r.Token = "admintoken", c.endpoint.AdminToken
	}
	return c.wire.Do(ctx, r.Call, func(status int, header http.Header, body []byte) *failure.Error {
		return c.refused(r, status, header, body)
	})
}
