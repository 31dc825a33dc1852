package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"cartrecovery.dev/operator/api/v1alpha1"
	"cartrecovery.dev/operator/internal/lead"
	"cartrecovery.dev/operator/internal/optouts"
)

const (
	// eraseRounds is how often it is looked for what was written meanwhile.
	eraseRounds = 5
	// keyedWithin is how long a Suppression is waited for that the controllers are to replace, keyedAgain how often it
	// is looked at.
	keyedWithin = time.Minute
	keyedAgain  = 250 * time.Millisecond
)

// erasure erases a customer.
type erasure struct {
	*finder
	client   client.Client
	suppress bool
	now      time.Time
	within   time.Duration
	told     io.Writer

	leads, suppressions, events int
	// deniedEvents says that the caller may not delete events.
	deniedEvents bool
	// suppressed are the numbers, by Store and hash, that a Suppression was made or found for.
	suppressed map[string]bool
}

func eraseCommand(t *tool) *cobra.Command {
	var which selector
	var yes, dryRun, suppress bool
	within := keyedWithin
	command := &cobra.Command{
		Use:   "erase",
		Short: "Erase everything of one customer and keep their wish not to be written to",
		Long: "Erase everything of one customer from a namespace: their leads with conversation and payments,\n" +
			"the events of these, and their number in Suppressions. A Suppression goes on holding without the\n" +
			"number; for that the controllers need SUPPRESSION_KEYS. What is left elsewhere is named at the end.\n" +
			"See docs/privacy.md.",
		Example: "  kubectl cartrecovery erase -n shop --phone-file - --dry-run\n" +
			"  kubectl cartrecovery erase -n shop --email ana@example.com --suppress --yes",
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			given, err := which.customer(command, t.In)
			if err != nil {
				return err
			}
			writer, namespace, err := t.connect()
			if err != nil {
				return err
			}
			e := &erasure{
				finder: newFinder(writer, namespace, which, given), client: writer, suppress: suppress,
				now: t.clock.Now(), within: within, told: t.Out, suppressed: map[string]bool{},
			}
			return t.erase(command, e, yes, dryRun)
		},
	}
	which.bind(command.Flags())
	command.Flags().BoolVarP(&yes, "yes", "y", false, "Erase without asking")
	command.Flags().BoolVar(&dryRun, "dry-run", false, "Say what would be erased, and erase nothing")
	command.Flags().BoolVar(&suppress, "suppress", false,
		"Make a Suppression where there is none, so that a new cart of the customer is not answered with a message")
	command.Flags().DurationVar(&within, "wait", keyedWithin, "How long the controllers are waited for")
	return command
}

// erase shows what there is, asks, and erases it.
func (t *tool) erase(command *cobra.Command, e *erasure, yes, dryRun bool) error {
	ctx := command.Context()
	records, err := e.find(ctx)
	if err != nil {
		return err
	}
	if e.suppress && !hasNumber(records) {
		return usageErrorf(command, "--suppress needs a --phone, and a --store where nothing is stored of the customer")
	}
	total := e.show(records)
	switch {
	case total == 0 && !e.suppress:
		e.sayf("Nothing is stored of this customer in the namespace %s.", e.namespace)
		e.sayf("%s", strings.Join(remains(e), "\n"))
		return nil
	case dryRun:
		e.sayf("Nothing was erased: this was a dry run.")
		return nil
	case !yes:
		if err := t.confirm(command, e.readsInput()); err != nil {
			return err
		}
	}
	left, err := e.run(ctx, records)
	e.sayf("Erased: %s, %s, %s replaced by a keyed one or lapsed.", counted(e.leads, "lead"),
		counted(e.events, "event"), counted(e.suppressions, "Suppression"))
	if err != nil {
		return fmt.Errorf("not all of it was erased: %w", err)
	}
	if left > 0 {
		return fmt.Errorf("not all of it was erased: after %d rounds there are still %d objects; something goes on "+
			"writing them. Try again", eraseRounds, left)
	}
	e.sayf("%s", strings.Join(remains(e), "\n"))
	return nil
}

// hasNumber says whether a number of the customer is known in a Store.
func hasNumber(records []*record) bool {
	return slices.ContainsFunc(records, func(each *record) bool {
		numbers, _ := identities(&each.customer)
		return numbers > 0
	})
}

func (e *erasure) sayf(format string, args ...any) { _, _ = fmt.Fprintf(e.told, format+"\n", args...) }

func counted(number int, what string) string {
	if number == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", number, what)
}

// show lists the objects of a customer, and tells how many there are. What it prints holds neither number nor address.
func (e *erasure) show(records []*record) int {
	total := 0
	for _, each := range records {
		numbers, addresses := identities(&each.customer)
		e.sayf("Store %s: %s, %s (numbers of the customer: %d, e-mail addresses: %d)", each.store,
			counted(len(each.leads), "lead"), counted(len(each.suppressions), "Suppression"), numbers, addresses)
		for i := range each.leads {
			recovery, how := &each.leads[i], "linked by another lead"
			if lead.SameCustomer(&recovery.Spec.Customer, &e.given) {
				how = "has what was given"
			} else if !lead.SameCustomer(&recovery.Spec.Customer, &each.customer) {
				how = "has messages from the number"
			}
			made := recovery.CreationTimestamp.UTC().Format(time.DateOnly)
			e.sayf("  cartrecovery/%s  of %s, %s, %s", recovery.Name, made, recovery.Status.Phase, how)
		}
		for i := range each.suppressions {
			e.sayf("  suppression/%s  %s", each.suppressions[i].Name, each.suppressions[i].Spec.Reason)
		}
		total += len(each.leads) + len(each.suppressions)
	}
	return total
}

// confirm asks a person at a terminal.
func (t *tool) confirm(command *cobra.Command, inputIsTaken bool) error {
	file, isFile := t.In.(*os.File)
	if isFile && !inputIsTaken {
		info, err := file.Stat()
		isFile = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	if !isFile || inputIsTaken {
		return usageErrorf(command, "nobody can be asked here: look at it with --dry-run, and then add --yes")
	}
	_, _ = fmt.Fprint(t.Err, "Erase all of this? It cannot be undone. [y/N] ")
	answer, _ := bufio.NewReader(io.LimitReader(t.In, maxLine)).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("nothing was erased")
	}
	return nil
}

// run erases what is there, looks again for what was written meanwhile, and tells how much is left. The Suppressions
// go first: whose they are is known by the leads.
func (e *erasure) run(ctx context.Context, records []*record) (left int, err error) {
	for range eraseRounds {
		for _, each := range records {
			if err := e.ofStore(ctx, each); err != nil {
				return 0, err
			}
		}
		if records, err = e.find(ctx); err != nil {
			return 0, err
		}
		if left = e.count(records); left == 0 {
			return 0, nil
		}
	}
	return left, nil
}

func (e *erasure) count(records []*record) (left int) {
	for _, each := range records {
		left += len(each.leads) + len(each.suppressions)
	}
	return left
}

// ofStore erases what one Store has.
func (e *erasure) ofStore(ctx context.Context, found *record) error {
	if e.suppress {
		if err := e.makeSuppressions(ctx, found); err != nil {
			return err
		}
	}
	for i := range found.suppressions {
		if err := e.askToKey(ctx, &found.suppressions[i]); err != nil {
			return err
		}
	}
	for i := range found.suppressions {
		if err := e.awaitKeyed(ctx, &found.suppressions[i]); err != nil {
			return err
		}
	}
	for i := range found.leads {
		if err := e.deleteLead(ctx, &found.leads[i]); err != nil {
			return err
		}
	}
	return e.deleteEvents(ctx, found)
}

// makeSuppressions has one hold for each number of the customer. What it has made it does not make again: it is not
// found any more when it has been keyed.
func (e *erasure) makeSuppressions(ctx context.Context, found *record) error {
	for _, number := range known(found.customer.Phone, found.customer.OtherPhones) {
		hash := lead.PhoneHash(number)
		if id := found.store + "/" + hash; hash == "" || e.suppressed[id] {
			continue
		}
		if err := e.suppressNumber(ctx, found, number, hash); err != nil {
			return fmt.Errorf("have the customer suppressed: %w", err)
		}
		e.suppressed[found.store+"/"+hash] = true
	}
	return nil
}

// suppressNumber makes a Suppression for a number, or has one that is there hold for ever.
func (e *erasure) suppressNumber(ctx context.Context, found *record, number, hash string) error {
	for i := range found.suppressions {
		each := &found.suppressions[i]
		if lead.SuppressedHash(each) != hash {
			continue
		}
		extended := each.DeepCopy()
		if !lead.Extend(extended, nil) {
			return nil
		}
		err := e.client.Patch(ctx, extended, client.MergeFrom(each))
		found.suppressions[i] = *extended
		return err
	}
	made := lead.NewSuppression(e.namespace, found.store, number, false, v1alpha1.SuppressionManual)
	_, err := optouts.Keep(ctx, e.client, e.client, made, func(stored *v1alpha1.Suppression) (bool, error) {
		return lead.Extend(stored, nil), nil
	})
	if err != nil {
		return err
	}
	// What is there may have been made by somebody else, without the labels that it is found by.
	if err := e.client.Get(ctx, client.ObjectKeyFromObject(made), made); err != nil {
		return err
	}
	found.suppressions = append(found.suppressions, *made)
	return nil
}

// askToKey asks the controllers to take the number out of a Suppression.
func (e *erasure) askToKey(ctx context.Context, suppression *v1alpha1.Suppression) error {
	if suppression.Annotations[v1alpha1.AnnotationEraseRequested] != "" {
		return nil
	}
	asked := suppression.DeepCopy()
	if asked.Annotations == nil {
		asked.Annotations = map[string]string{}
	}
	asked.Annotations[v1alpha1.AnnotationEraseRequested] = e.now.UTC().Format(time.RFC3339)
	err := client.IgnoreNotFound(e.client.Patch(ctx, asked, client.MergeFrom(suppression)))
	if err != nil {
		return fmt.Errorf("ask for the erasure of Suppression %s: %w", suppression.Name, err)
	}
	return nil
}

// awaitKeyed waits until the controllers have replaced a Suppression.
func (e *erasure) awaitKeyed(ctx context.Context, suppression *v1alpha1.Suppression) error {
	err := wait.PollUntilContextTimeout(ctx, keyedAgain, e.within, true, func(ctx context.Context) (bool, error) {
		fresh := &v1alpha1.Suppression{}
		err := e.client.Get(ctx, client.ObjectKeyFromObject(suppression), fresh)
		if apierrors.IsNotFound(err) || err == nil && fresh.UID != suppression.UID {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		not := apimeta.FindStatusCondition(fresh.Status.Conditions, v1alpha1.ConditionErased)
		if not != nil && not.Status == metav1.ConditionFalse {
			return false, errors.New(not.Message)
		}
		return false, nil
	})
	const kept = "No lead was deleted in this round, because they tell whose Suppressions there are"
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("wait for the controllers to erase Suppression %s: %w", suppression.Name, ctx.Err())
	case wait.Interrupted(err):
		return fmt.Errorf("the controllers have not erased Suppression %s within %s: do they run, and in a version "+
			"that can? %s", suppression.Name, e.within, kept)
	case err != nil:
		return fmt.Errorf("the controllers do not erase Suppression %s: %w. %s", suppression.Name, err, kept)
	}
	e.suppressions++
	return nil
}

// deleteLead deletes a lead as it was found, whatever has been written to it since.
func (e *erasure) deleteLead(ctx context.Context, recovery *v1alpha1.CartRecovery) error {
	err := e.client.Delete(ctx, recovery, client.Preconditions{UID: &recovery.UID})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		// It is gone, or there is another one of its name, which is looked for again.
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete CartRecovery %s: %w", recovery.Name, err)
	}
	e.leads++
	return nil
}

// deleteEvents deletes the events of the objects that were erased, where the caller may.
func (e *erasure) deleteEvents(ctx context.Context, found *record) error {
	names := make([]string, 0, len(found.leads)+len(found.suppressions))
	for i := range found.leads {
		names = append(names, found.leads[i].Name)
	}
	for i := range found.suppressions {
		names = append(names, found.suppressions[i].Name)
	}
	for _, name := range names {
		err := e.deleteEventsOf(ctx, name)
		if isDenied(err) {
			e.deniedEvents = true
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *erasure) deleteEventsOf(ctx context.Context, name string) error {
	var events corev1.EventList
	err := e.client.List(ctx, &events, client.InNamespace(e.namespace),
		client.MatchingFields{"involvedObject.name": name})
	if err != nil {
		return fmt.Errorf("find the events of %s: %w", name, err)
	}
	for i := range events.Items {
		if err := client.IgnoreNotFound(e.client.Delete(ctx, &events.Items[i])); err != nil {
			return fmt.Errorf("delete the events of %s: %w", name, err)
		}
		e.events++
	}
	return nil
}

// remains names what is left of a customer.
func remains(e *erasure) []string {
	left := []string{
		"What remains, and whom to ask:",
		"- the chats on the paired phone and at the gateway: delete them there",
		"- what the AI's provider keeps of the conversations, for as long as its terms say",
		"- the orders and the customer at the sales platform, which can report a new cart: that makes a new lead",
		"- copies in backups of the cluster (etcd, Velero) until they are deleted. After a restore of one, erase again",
		"- the audit log of the API server, which has what was written where its policy logs bodies; and logs, which " +
			"name objects by hashes",
		"- entries of RecoveryLedgers: names of leads, which are hashes, and what happened when. They keep a lead " +
			"that is restored from a backup from being written to; the operator deletes them a month after the time " +
			"of the longest-kept lead",
	}
	if e.suppressions > 0 {
		left = append(left, "- a keyed Suppression, so that the customer is not written to: without the operator's "+
			"SUPPRESSION_KEYS nobody can tell whose it is")
	}
	if e.deniedEvents {
		left = append(left, "- the events of these objects, which you may not list or delete: they name them by "+
			"hashes, and are gone within an hour (--event-ttl of the API server)")
	}
	return left
}
