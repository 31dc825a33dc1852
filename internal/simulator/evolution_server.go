package simulator

// This file has the controls of the server itself: what is restarted, breaks, and is slow.

// Restart restarts the server: it answers again before its instances are in memory, which
// they are from FinishLoading on.
func (e *Evolution) Restart() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, each := range e.instances {
		each.loaded, each.loading = false, each.stored
		each.hasClient, each.deaf, each.dead, each.display = false, false, false, evolutionDisplay{}
		e.sweep(each)
	}
}

// FinishLoading brings the instances of a restarted server into memory: every one is
// connecting, the paired ones until Reconnect. One that was deleted while it was loading is in
// memory all the same, and in no database.
func (e *Evolution) FinishLoading() {
	now := e.clock()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, each := range e.instances {
		if !each.loading {
			continue
		}
		phone := each.phone
		each.begin(now, "")
		each.loaded, each.loading, each.phone = true, false, phone
	}
}

// Reconnect has a paired instance that is connecting connect.
func (e *Evolution) Reconnect(instanceName string) error {
	now := e.clock()
	e.mu.Lock()
	found, err := e.named(instanceName, now)
	if err == nil && (found.state != Connecting || found.phone == "") {
		err = ErrNotPairing
	}
	if err != nil {
		e.mu.Unlock()
		return err
	}
	found.state = Connected
	told := e.to(found, now).opening()
	e.mu.Unlock()
	e.tell(e.webhooks.ctx, told)
	return nil
}

// Database says whether the server's database answers.
func (e *Evolution) Database(up bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.databaseDown = !up
}

// SlowDeletes has deleted instances stay in the database until FinishDeletes.
func (e *Evolution) SlowDeletes() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.slowDeletes = true
}

// FinishDeletes takes deleted instances out of the database, those to come at once.
func (e *Evolution) FinishDeletes() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.slowDeletes = false
	for _, each := range e.instances {
		if !each.loaded && !each.loading {
			each.stored = false
			e.sweep(each)
		}
	}
}

// Die has WhatsApp's side of an instance's connection go without the server noticing: it stays
// open and takes nothing. A restart of the instance heals it, unless inVain.
func (e *Evolution) Die(instanceName string, inVain bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, err := e.named(instanceName, e.clock())
	if err == nil {
		found.dead, e.restartsInVain = true, inVain
	}
	return err
}

// Revive ends Die.
func (e *Evolution) Revive(instanceName string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, err := e.named(instanceName, e.clock())
	if err == nil {
		found.dead = false
	}
	return err
}

// Restarts is how often an instance was restarted by a call.
func (e *Evolution) Restarts() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.restarts
}

// WithholdQR has WhatsApp send an instance no QR, or again.
func (e *Evolution) WithholdQR(instanceName string, withheld bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, err := e.named(instanceName, e.clock())
	if err == nil {
		found.noQR = withheld
	}
	return err
}
