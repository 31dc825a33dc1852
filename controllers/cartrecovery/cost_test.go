package cartrecovery

import (
	"testing"
)

func TestDraftsCountWhateverBecomesOfAText(t *testing.T) {
	d := newDesk(t, 2)
	name := leadKey("a")
	d.want("a", 0)
	d.began()
	d.pen.writes("Oi")
	d.told()
	first := d.spent(name)
	if first == 0 {
		t.Fatal("a text costs nothing")
	}
	d.forget(name)
	if got := d.spent(name); got != first {
		t.Errorf("%d tokens once the text was dropped, want %d", got, first)
	}
	d.ask("one", "a", within1000(300))
	d.began()
	d.forget(name)
	d.told()
	if got := d.spent(name); got != first+300 {
		t.Errorf("%d tokens after another text that nobody wanted any more, want %d", got, first+300)
	}
	d.booked(name, d.spent(name))
	if got := d.spent(name); got != 0 || len(d.unbooked) != 0 {
		t.Errorf("%d tokens are left once they are written down", got)
	}
}
