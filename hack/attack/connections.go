package main

import "context"

// silent opens connections and says nothing.
func silent(ctx context.Context, t *target) string { return hold(ctx, t, "", 0) }

// drippingHeaders begins requests and never comes to the end of their headers.
func drippingHeaders(ctx context.Context, t *target) string {
	return hold(ctx, t, "POST /api/webhooks/hotmart/"+client+" HTTP/1.1\r\nHost: x\r\nX-Drip: ", 'a')
}

// drippingBodies sends headers, and a byte of the body a second.
func drippingBodies(ctx context.Context, t *target) string {
	return hold(ctx, t, "POST /api/webhooks/hotmart/"+client+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n",
		' ')
}
