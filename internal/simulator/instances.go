package simulator

import (
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/http"
	"strconv"
	"time"

	"rsc.io/qr"
)

// The states of an instance (UAZAPI v2 OpenAPI).
const (
	// Disconnected: no phone is paired.
	Disconnected = "disconnected"
	// Connecting: waiting for a phone.
	Connecting = "connecting"
	// Connected: messages can be sent.
	Connected = "connected"
)

const (
	// qrLife and codeLife are how long pairing may take, by QR and by code (UAZAPI v2
	// OpenAPI); qrRefresh is how long one picture of a QR is shown.
	qrLife    = 2 * time.Minute
	codeLife  = 5 * time.Minute
	qrRefresh = 20 * time.Second
	// timeLayout is how the server writes a time.
	timeLayout = "2006-01-02T15:04:05.000Z"
)

// instance is one instance; everything in it is guarded by UAZAPI.mu.
type instance struct {
	id, name, token            string
	adminField01, adminField02 string
	created                    time.Time

	state string
	phone string
	// reason is why it was disconnected last, at left.
	reason string
	left   time.Time

	// pairing is when pairing began; pairCode and pairPhone are set for one by code.
	pairing             time.Time
	pairCode, pairPhone string
	// picture is the QR shown, the pictureAt-th one of this pairing.
	picture   string
	pictureAt int64

	// webhook is nil before one was set; base is the server's address, as the one who
	// set it called it.
	webhook *webhook
	base    string
	// open holds the phones that have written to it: those with which messages may be
	// exchanged under a restriction. chats holds those it has exchanged any with.
	open, chats     map[string]bool
	restrictedUntil time.Time
}

// instanceView is the server's description of an instance.
type instanceView struct {
	ID                   string `json:"id"`
	Token                string `json:"token"`
	Status               string `json:"status"`
	PairCode             string `json:"paircode"`
	QRCode               string `json:"qrcode"`
	Name                 string `json:"name"`
	ProfileName          string `json:"profileName"`
	ProfilePicURL        string `json:"profilePicUrl"`
	IsBusiness           bool   `json:"isBusiness"`
	Platform             string `json:"plataform"` // spelt so in the OpenAPI document
	SystemName           string `json:"systemName"`
	Owner                string `json:"owner"`
	LastDisconnect       string `json:"lastDisconnect"`
	LastDisconnectReason string `json:"lastDisconnectReason"`
	AdminField01         string `json:"adminField01"`
	AdminField02         string `json:"adminField02"`
	OpenAIKey            string `json:"openai_apikey"`
	ChatbotEnabled       bool   `json:"chatbot_enabled"`
	Created              string `json:"created"`
	CurrentTime          string `json:"currentTime"`
}

// refresh lets time pass: pairing that took too long ends.
func (i *instance) refresh(now time.Time) {
	if i.state != Connecting {
		return
	}
	life, reason := qrLife, "QR code expired"
	if i.pairCode != "" {
		life, reason = codeLife, "pair code expired"
	}
	if now.Sub(i.pairing) >= life {
		i.end(now, reason)
	}
}

// end leaves the instance disconnected.
func (i *instance) end(now time.Time, reason string) {
	i.state, i.reason, i.left = Disconnected, reason, now
	i.phone, i.picture, i.pairCode, i.pairPhone = "", "", "", ""
}

// pair begins pairing: by code with a phone, else by QR.
func (i *instance) pair(now time.Time, phone string) {
	i.state, i.pairing, i.picture, i.pictureAt = Connecting, now, "", -1
	i.pairCode, i.pairPhone = "", phone
	if phone != "" {
		code := hexUpper(random(4))
		i.pairCode = code[:4] + "-" + code[4:]
	}
}

// qrCode is the picture to scan now; empty when there is none.
func (i *instance) qrCode(now time.Time) string {
	if i.state != Connecting || i.pairCode != "" {
		return ""
	}
	at := int64(now.Sub(i.pairing) / qrRefresh)
	if i.picture == "" || i.pictureAt != at {
		i.picture, i.pictureAt = drawQR("SIMULATED, not a WhatsApp QR: "+i.id+" "+strconv.FormatInt(at, 10)), at
	}
	return i.picture
}

// drawQR returns a QR as a data URI; empty if it could not be drawn.
func drawQR(content string) string {
	code, err := qr.Encode(content, qr.L)
	if err != nil {
		return ""
	}
	code.Scale = 4
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())
}

// view describes the instance as of now.
func (i *instance) view(now time.Time) instanceView {
	i.refresh(now)
	view := instanceView{
		ID: i.id, Token: i.token, Status: i.state, PairCode: i.pairCode, QRCode: i.qrCode(now), Name: i.name,
		SystemName: "uazapiGO", Owner: i.phone, LastDisconnectReason: i.reason,
		AdminField01: i.adminField01, AdminField02: i.adminField02,
		Created: i.created.UTC().Format(timeLayout), CurrentTime: now.UTC().Format(timeLayout),
	}
	if i.phone != "" {
		view.ProfileName, view.Platform = "Simulated phone", "android"
	}
	if !i.left.IsZero() {
		view.LastDisconnect = i.left.UTC().Format(timeLayout)
	}
	return view
}

// session tells of the connection; the OpenAPI document's jid is an object or null.
func (i *instance) session() map[string]any {
	connected := i.state == Connected
	session := map[string]any{"connected": connected, "loggedIn": connected, "jid": nil}
	if connected {
		session["jid"] = map[string]any{"user": i.phone, "agent": 0, "device": 0, "server": "s.whatsapp.net"}
	}
	return session
}

// create answers POST /instance/create and /instance/init.
func (u *UAZAPI) create(x *exchange) (int, any) {
	var input struct {
		Name         string `json:"name"`
		SystemName   string `json:"systemName"`
		AdminField01 string `json:"adminField01"`
		AdminField02 string `json:"adminField02"`
	}
	if err := x.decode(&input, false); err != nil {
		return http.StatusBadRequest, failed{"Invalid payload"}
	}
	if input.Name == "" {
		return http.StatusBadRequest, failed{"Missing name"}
	}
	now := u.clock()
	made := &instance{
		id: "r" + hex.EncodeToString(random(7)), name: input.Name, token: newToken(), created: now, state: Disconnected,
		adminField01: input.AdminField01, adminField02: input.AdminField02,
		open: make(map[string]bool), chats: make(map[string]bool),
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.instances = append(u.instances, made)
	u.byToken[made.token] = made
	return http.StatusOK, map[string]any{
		"response": "Instance created successfully", "instance": made.view(now), "name": made.name,
		"token": made.token, "connected": false, "loggedIn": false,
	}
}

// all answers GET /instance/all.
func (u *UAZAPI) all(*exchange) (int, any) {
	now := u.clock()
	u.mu.Lock()
	defer u.mu.Unlock()
	views := make([]instanceView, 0, len(u.instances))
	for _, each := range u.instances {
		views = append(views, each.view(now))
	}
	return http.StatusOK, views
}

// connect answers POST /instance/connect.
func (u *UAZAPI) connect(x *exchange) (int, any) {
	var input struct {
		Phone string `json:"phone"`
	}
	if err := x.decode(&input, true); err != nil {
		return http.StatusBadRequest, failed{"Invalid payload"}
	}
	if input.Phone != "" && !isPhone(input.Phone) {
		return http.StatusBadRequest, failed{"Invalid phone"}
	}
	now := u.clock()
	u.mu.Lock()
	defer u.mu.Unlock()
	x.instance.refresh(now)
	content := map[string]any{"response": "Connecting"}
	if x.instance.state == Connected {
		content["response"] = "Already connected"
	} else {
		x.instance.pair(now, input.Phone)
	}
	content["instance"] = x.instance.view(now)
	maps.Copy(content, x.instance.session())
	return http.StatusOK, content
}

// status answers GET /instance/status.
func (u *UAZAPI) status(x *exchange) (int, any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	view := x.instance.view(u.clock())
	return http.StatusOK, map[string]any{"instance": view, "status": x.instance.session()}
}

// disconnect answers POST /instance/disconnect.
func (u *UAZAPI) disconnect(x *exchange) (int, any) {
	if err := x.decode(&struct{}{}, true); err != nil {
		return http.StatusBadRequest, failed{"Invalid payload"}
	}
	now := u.clock()
	u.mu.Lock()
	defer u.mu.Unlock()
	x.instance.end(now, "manual disconnect")
	return http.StatusOK, map[string]any{
		"response": "Disconnected", "instance": x.instance.view(now),
		"info": "A new QR code will be required for the next connection.",
	}
}

// remove answers DELETE /instance.
func (u *UAZAPI) remove(x *exchange) (int, any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.byToken, x.instance.token)
	for at, each := range u.instances {
		if each == x.instance {
			u.instances = append(u.instances[:at:at], u.instances[at+1:]...)
			break
		}
	}
	return http.StatusOK, map[string]any{"response": "Instance Deleted", "info": "The instance was removed."}
}

// limits answers GET /instance/wa_messages_limits.
func (u *UAZAPI) limits(x *exchange) (int, any) {
	now := u.clock()
	u.mu.Lock()
	defer u.mu.Unlock()
	x.instance.refresh(now)
	if x.instance.state != Connected {
		return http.StatusInternalServerError, failed{notConnected}
	}
	restricted := now.Before(x.instance.restrictedUntil)
	content := map[string]any{
		"provider": "whatsapp", "reachable": true, "can_send_new_messages": !restricted,
		"reachout_timelock": timelock(x.instance.restrictedUntil, restricted),
	}
	if restricted {
		content["error_key"] = restrictedKey
	}
	return http.StatusOK, content
}

// timelock describes WhatsApp's restriction of a number.
func timelock(until time.Time, active bool) map[string]any {
	lock := map[string]any{"available": true, "active": active}
	if active {
		lock["until"] = until.UTC().Format(time.RFC3339)
		lock["enforcement_type"] = "BIZ_QUALITY"
	}
	return lock
}

// isPhone tells whether number is 8 to 15 digits.
func isPhone(number string) bool {
	if len(number) < 8 || len(number) > 15 {
		return false
	}
	for i := range len(number) {
		if number[i] < '0' || number[i] > '9' {
			return false
		}
	}
	return true
}
