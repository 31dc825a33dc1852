package simulator

import (
	"net/http"
	"time"
)

// begin begins pairing. What was shown for an earlier one stays until WhatsApp sends another
// QR.
func (i *evolutionInstance) begin(now time.Time, number string) {
	i.pair(now, "")
	i.pairPhone, i.hasClient, i.dead = number, true, false
}

// look lets time pass: a QR that is due is drawn, and a pairing that took too long ends and
// leaves nothing to show.
func (i *evolutionInstance) look(now time.Time, qrAfter time.Duration) {
	if i.state != Connecting || i.phone != "" {
		return
	}
	life := qrLife
	if i.pairPhone != "" {
		life = codeLife
	}
	if now.Sub(i.pairing) >= life {
		i.end(now, "QR code limit reached")
		i.display = evolutionDisplay{}
		return
	}
	since := now.Sub(i.pairing) - qrAfter
	if at := int64(since / qrRefresh); since >= 0 && !i.noQR && at != i.pictureAt {
		i.pictureAt = at
		i.display = evolutionDisplay{picture: drawQR("SIMULATED, not a WhatsApp QR: " + newToken()),
			count: i.display.count + 1}
		if i.pairPhone != "" {
			i.display.code = hexUpper(random(4))
		}
	}
}

// shownNow is what a phone is to scan or enter, as the server has it in memory.
func (i *evolutionInstance) shownNow() map[string]any {
	content := map[string]any{"count": i.display.count}
	if i.display.picture != "" {
		content["pairingCode"], content["code"], content["base64"] = nil, "2@simulated", i.display.picture
	}
	if i.display.code != "" {
		content["pairingCode"] = i.display.code
	}
	return content
}

// connect answers GET /instance/connect/{name}. While pairing is under way it goes on as it
// began. The call that begins one answers with what there was before.
func (e *Evolution) connect(x *evolutionExchange) (int, any) {
	switch {
	case !x.of.loaded:
		return http.StatusOK, map[string]any{"error": true, "message": "[object Object]"}
	case x.of.state == Connected:
		return e.connectionState(x)
	case x.of.state == Connecting:
		return http.StatusOK, x.of.shownNow()
	}
	number := x.request.URL.Query().Get("number")
	if number != "" && !isPhone(number) {
		return http.StatusOK, map[string]any{"error": true, "message": "Error: invalid number"}
	}
	x.of.begin(e.clock(), number)
	return http.StatusOK, x.of.shownNow()
}

// connectionState answers GET /instance/connectionState/{name}. An instance that is not in
// memory has none.
func (e *Evolution) connectionState(x *evolutionExchange) (int, any) {
	about := map[string]any{"instanceName": x.of.name}
	if x.of.loaded {
		about["state"] = x.of.word()
	}
	return http.StatusOK, map[string]any{"instance": about}
}

// restart answers POST (version 1: PUT) /instance/restart/{name}: a socket that is closed and
// opened again.
func (e *Evolution) restart(x *evolutionExchange) (int, any) {
	if (x.request.Method == http.MethodPut) != e.options.V1 {
		return refuse(http.StatusNotFound, "Cannot "+x.request.Method+" "+x.request.URL.Path)
	}
	if !x.of.loaded || x.of.state == Disconnected {
		return http.StatusOK, map[string]any{"error": true, "message": "[object Object]"}
	}
	e.restarts++
	if !e.restartsInVain {
		x.of.dead = false
	}
	return e.connectionState(x)
}

// logout answers DELETE /instance/logout/{name}. It ends what reads messages, and nothing but
// a restart of the server begins that again.
func (e *Evolution) logout(x *evolutionExchange) (int, any) {
	if x.of.loaded && x.of.state == Disconnected {
		return refuse(http.StatusBadRequest, `The "`+x.of.name+`" instance is not connected`)
	}
	if x.of.loaded {
		e.logOut(x.of)
	}
	return http.StatusOK, done("Instance logged out")
}

// logOut logs an instance out and deafens it.
func (e *Evolution) logOut(of *evolutionInstance) {
	now := e.clock()
	to := e.to(of, now)
	of.end(now, "logged out")
	of.deaf = true
	e.announceAll(to.ending())
}

// remove answers DELETE /instance/delete/{name}: with the call the instance leaves the memory,
// and some time later the database.
func (e *Evolution) remove(x *evolutionExchange) (int, any) {
	of, to := x.of, e.to(x.of, e.clock())
	if of.loaded && of.state != Disconnected {
		e.logOut(of)
	}
	if of.loaded {
		e.announceAll([]evolutionNotice{
			{to, "instance.delete", map[string]any{"instanceName": of.name, "instanceId": of.id}},
			{to, "remove.instance", nil},
		})
	}
	of.loaded = false
	if of.stored && !e.slowDeletes {
		of.stored = false
	}
	e.sweep(of)
	return http.StatusOK, done("Instance deleted")
}

// sweep forgets an instance that is nowhere any more.
func (e *Evolution) sweep(of *evolutionInstance) {
	if !of.loaded && !of.stored && !of.loading && e.instances[of.name] == of {
		delete(e.instances, of.name)
	}
}

// done is the answer to what was done.
func done(message string) map[string]any {
	return map[string]any{"status": "SUCCESS", "error": false, "response": map[string]any{"message": message}}
}
