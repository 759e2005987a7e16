// Package observable is the reactive face of the SDK: values that change and events that happen, as
// typed observables that are [rxgo.Observable] values at the same time.
//
// # Reading
//
// An [Of] is what an accessor such as ObserveErrors returns. Read it in one of four ways:
//
//	sub := obs.Subscribe(ctx, func(v T) { ... })    // a callback, on a goroutine of its own
//	for v := range obs.Seq(ctx) { ... }             // a loop, on the caller's goroutine
//	v, err := obs.Wait(ctx, func(v T) bool { ... }) // the first value that will do
//	obs.Filter(f).ForEach(next, failed, completed, rxgo.WithContext(ctx)) // rxgo and its operators
//
// [Select] picks the errors of one type out of a stream of errors, [Filter] and [Map] do the like for
// any type. They run inside each subscription and start nothing. Of has methods of these names as well:
// those are rxgo's, untyped, with a goroutine each.
//
// # Writing
//
// A [State] is a value that changes: an observer gets the current value and then each change. An
// [Events] is a stream of things that happen: an observer gets each one from the moment that it asked.
// Accessors say in their comments which of the two they show.
//
// # Guarantees
//
// Each has a test of the same number, TestG1 and so on. "Subscription" means any of the four ways to
// read.
//
//  1. Order. A subscription gets values in the order in which they were published, one at a time. All
//     subscriptions of a subject agree on the order, however many goroutines publish.
//  2. Replay. A subscription to a State begins with the value current at that time. One to an Events
//     begins with the last n events before the accessor call, n being what [NewEvents] was given.
//  3. Equal values. Setting a State to a value equal to its current one is not a change and is not
//     delivered, whoever else is setting it at the same time.
//  4. Completion. After Complete, each subscription gets what it has not had yet, then ends, and nothing
//     comes after. What is published or set later is ignored; calling Complete again does nothing.
//  5. Late subscribers. Whoever subscribes after completion gets the replay of guarantee 2, then
//     completion. A state that has ended still tells its last value.
//  6. No gap. Nothing published after the accessor call of an Events is lost to the subscriptions made
//     to the result, however late they come, whichever way they read, and if there are several each has
//     all of it. The place of the accessor call is forgotten when one of these subscriptions is 256
//     events past it, or is bounded; a later one then begins as if the accessor were called again. For
//     a State no change after the first value that a subscription gets is lost; Subscribe and Observe
//     fix that value before they return, Seq and Wait when they begin, rxgo operators a moment later.
//  7. Isolation. Publishing never waits. A slow subscriber, or one that has stopped reading, delays
//     neither the publisher nor another subscriber, and costs neither of them anything.
//  8. Callbacks. A subscriber's function may take any time and may publish, set, subscribe, wait, cancel
//     and complete, on the same subject too. No lock is held while it runs, and it never runs on the
//     publisher's goroutine.
//  9. Cancellation. When the context ends, Cancel is called or the loop is left, the subscription ends
//     and all that belonged to it is freed, also for rxgo chains that were given [rxgo.WithContext] and
//     are not being read. No value is delivered that was not on its way already.
//  10. Nothing runs unwatched. Subjects, accessors and selections have no goroutines. A subscription has
//     one with Subscribe and with rxgo (and one for each operator), none with Seq and Wait. A subject
//     that nobody watches keeps its replay and at most 16 other recent values, in less than 512 bytes
//     plus what these refer to.
//  11. Drops are counted. A subscription loses values only if it asks for [Latest] or [Bounded], and
//     [Subscription.Dropped] is the exact number.
//  12. Errors are values. A stream of errors carries them as values (Item.V), so they pass through rxgo's
//     operators and can be selected with errors.As. Item.E is never set.
//  13. Memory. A value is held only while a subscription has it to read, an Of remembers a place before
//     it (guarantee 6), or replay or a bound asks for it, give or take 16. One copy is shared by all
//     readers.
//  14. Snapshots. [State.Get] takes no lock, and is never newer than what observers have been given to
//     read, nor older than what one of them has read.
//  15. Readers that are gone. After completion an rxgo subscription that takes no item for 30 seconds is
//     let go: its goroutine ends, its channel is closed, and what it did not take is dropped. Until
//     completion only its context frees it, as nothing tells a slow reader from one that is gone.
//     Subscribe and Seq have no such limit.
//
// # What a subscriber should know
//
// Latest and Bounded count published values: on a [Select], [Filter] or [Map] they apply before it.
//
// A lossless subscriber that never catches up keeps everything it has yet to read in memory
// ([Events.OnSlow] tells the publisher's side of one that is far behind). So does an
// Of of an Events that is kept and never subscribed to: call the accessor for each use.
//
// A panic in a subscriber's function, in a predicate, or in a function given to Filter, Map or
// [NewStateFunc] is not recovered. On a goroutine of a subscription it ends the program, as it does in
// rxgo.
//
// Values are shared by all who read them: treat what a pointer leads to as read-only.
//
// # What remains in rxgo
//
// The observables of this package are safe sources, but rxgo v2.5.0 has operators with habits of their
// own:
//
//   - An operator's goroutine that waits for a reader ends only with its context. Give
//     [rxgo.WithContext] to the last call of a chain (Observe, ForEach, Get) and cancel it.
//   - Take(n) ends when item n+1 arrives, and neither Take nor First lets go of a live source. Use
//     [Of.Wait], or [Of.Seq] with a break.
//   - Debounce, FlatMap, Join, TimeInterval, the operators that Buffer or Window with time, and every
//     Single (Count, First, ...) share one channel among their observers: observing one twice panics.
//     Build one for each use.
//   - CombineLatest, Merge, Concat, Sample, Serialize, StartWith, ZipFromIterable, GroupByDynamic, Retry
//     and BackOffRetry subscribe when they are built. FlatMap, Debounce and Buffer take their context
//     when they are built, too. Give them [rxgo.WithContext] there.
//   - DistinctUntilChanged panics on values that == cannot compare. A State drops repeats already.
//   - WithPool reorders.
//   - rxgo.Just and SendItems turn an error value into a failure, and Just takes a slice apart. Use
//     rxgo.Of.
//   - Operators have unbuffered channels unless [rxgo.WithBufferedChannel] is given to the last call.
package observable
