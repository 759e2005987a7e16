package sessiontest_test

import (
	"encoding/binary"
	"errors"
	"math"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/vnet"

	"github.com/callrx/callrx/session/sessiontest"
)

// A trip is how a numbered packet got across.
type trip struct {
	number uint32
	took   time.Duration
}

// A crossing is a socket on a bad network, and one on a good one that it exchanges packets with.
type crossing struct {
	network *sessiontest.Network
	bad     transport.UDPConn
	good    net.PacketConn
}

// inCrossing runs a test in virtual time, over a virtual network that takes none.
func inCrossing(t *testing.T, seed uint64, test func(t *testing.T, c crossing)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		router, err := vnet.NewRouter(&vnet.RouterConfig{
			CIDR: "10.0.0.0/24", QueueSize: 1000, LoggerFactory: logging.NewDefaultLoggerFactory(),
		})
		var hosts [2]*vnet.Net
		for i := range hosts {
			if err == nil {
				hosts[i], err = vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{[]string{"10.0.0.1", "10.0.0.2"}[i]}})
			}
			if err == nil {
				err = router.AddNet(hosts[i])
			}
		}
		if err == nil {
			err = router.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = router.Stop() }()
		c := crossing{network: sessiontest.NewNetworkOver(hosts[0], seed)}
		if c.bad, err = c.network.Shaped().ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 4000}); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.bad.Close() }()
		if c.good, err = hosts[1].ListenPacket("udp4", "10.0.0.2:4000"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.good.Close() }()
		test(t, c)
	})
}

// across sends numbered packets, one each 20 ms, and tells which arrived, in that order.
func across(t *testing.T, from, to net.PacketConn, packets int) (arrived []trip) {
	t.Helper()
	began := time.Now()
	go func() { // ends before the reader gives up
		for n := range packets {
			_, _ = from.WriteTo(binary.BigEndian.AppendUint32(nil, uint32(n)), to.LocalAddr())
			time.Sleep(20 * time.Millisecond) // in a bubble
		}
	}()
	if err := to.SetReadDeadline(began.Add(time.Duration(packets)*20*time.Millisecond + 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	for buf := make([]byte, 100); ; {
		size, addr, err := to.ReadFrom(buf)
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return arrived
		}
		if err != nil || size != 4 || addr.String() != from.LocalAddr().String() {
			t.Fatalf("%d bytes from %v: %v", size, addr, err)
		}
		n := binary.BigEndian.Uint32(buf)
		arrived = append(arrived, trip{n, time.Since(began) - time.Duration(n)*20*time.Millisecond})
	}
}

// bothWays runs a test for what goes and for what comes.
func bothWays(t *testing.T, conditions sessiontest.NetworkConditions, packets int, test func(t *testing.T, arrived []trip, counts sessiontest.NetworkCounts)) {
	t.Helper()
	for _, way := range []string{"out", "in"} {
		t.Run(way, func(t *testing.T) {
			inCrossing(t, 7, func(t *testing.T, c crossing) {
				c.network.Set(conditions)
				if c.network.Conditions() != conditions {
					t.Errorf("conditions are %+v", c.network.Conditions())
				}
				if way == "out" {
					arrived := across(t, c.bad, c.good, packets)
					counts, _ := c.network.Counts()
					test(t, arrived, counts)
				} else {
					arrived := across(t, c.good, c.bad, packets)
					_, counts := c.network.Counts()
					test(t, arrived, counts)
				}
			})
		})
	}
}

func took(trips []trip) (all []float64) {
	for _, t := range trips {
		all = append(all, t.took.Seconds())
	}
	return all
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func TestNetworkThatIsNotToldAnythingLetsEverythingPass(t *testing.T) {
	bothWays(t, sessiontest.NetworkConditions{}, 200, func(t *testing.T, arrived []trip, counts sessiontest.NetworkCounts) {
		for i, a := range arrived {
			if int(a.number) != i || a.took != 0 {
				t.Fatalf("packet %d came as number %d after %v", a.number, i, a.took)
			}
		}
		if len(arrived) != 200 || counts != (sessiontest.NetworkCounts{Passed: 200}) {
			t.Errorf("%d packets of 200, %+v", len(arrived), counts)
		}
	})
}

// The limits are four standard deviations of a binomial distribution.
func TestNetworkLosesTheShareItIsTold(t *testing.T) {
	const packets = 5000
	for _, loss := range []float64{0.05, 0.2} {
		bothWays(t, sessiontest.NetworkConditions{Loss: loss}, packets, func(t *testing.T, arrived []trip, counts sessiontest.NetworkCounts) {
			lost := packets - len(arrived)
			if off := math.Abs(float64(lost) - packets*loss); off > 4*math.Sqrt(packets*loss*(1-loss)) {
				t.Errorf("%d packets of %d were lost, want a share of %v", lost, packets, loss)
			}
			if counts.Lost != uint64(lost) || counts.Passed != uint64(len(arrived)) {
				t.Errorf("it counts %+v", counts)
			}
			pairs := 0 // throws are of their own: a loss does not bring another
			for i := range arrived[1:] {
				if arrived[i+1].number-arrived[i].number == 1 {
					pairs++
				}
			}
			if p := float64(pairs) / float64(len(arrived)-1); math.Abs(p-(1-loss)) > 4*math.Sqrt(loss*(1-loss)/float64(len(arrived))) {
				t.Errorf("after a packet that came, %v of the next ones did, want %v", p, 1-loss)
			}
		})
	}
}

func TestNetworkDelaysEveryPacketAlike(t *testing.T) {
	bothWays(t, sessiontest.NetworkConditions{Delay: 400 * time.Millisecond}, 200, func(t *testing.T, arrived []trip, _ sessiontest.NetworkCounts) {
		for i, a := range arrived {
			if int(a.number) != i || a.took != 400*time.Millisecond {
				t.Fatalf("packet %d came as number %d after %v", a.number, i, a.took)
			}
		}
		if len(arrived) != 200 {
			t.Errorf("%d packets of 200", len(arrived))
		}
	})
}

// An even spread over 300 ms has its mean at 150 ms and a standard deviation of 86.6 ms.
func TestNetworkSpreadsPacketsOverTheJitter(t *testing.T) {
	const packets, delay, jitter = 5000, 0.1, 0.3
	conditions := sessiontest.NetworkConditions{Delay: 100 * time.Millisecond, Jitter: 300 * time.Millisecond}
	bothWays(t, conditions, packets, func(t *testing.T, arrived []trip, _ sessiontest.NetworkCounts) {
		all := took(arrived)
		if len(all) != packets {
			t.Fatalf("%d packets of %d", len(all), packets)
		}
		if low, high := slices.Min(all), slices.Max(all); low < delay || low > delay+0.005 || high > delay+jitter || high < delay+jitter-0.005 {
			t.Errorf("it took between %v and %v s", low, high)
		}
		if m, limit := mean(all), 4*jitter/math.Sqrt(12*packets); math.Abs(m-delay-jitter/2) > limit {
			t.Errorf("it took %v s on average, want %v within %v", m, delay+jitter/2, limit)
		}
		if slices.IsSortedFunc(arrived, func(a, b trip) int { return int(a.number) - int(b.number) }) {
			t.Error("no packet was overtaken")
		}
	})
}

func TestNetworkThatIsCutLetsNothingPass(t *testing.T) {
	bothWays(t, sessiontest.NetworkConditions{Cut: true}, 100, func(t *testing.T, arrived []trip, counts sessiontest.NetworkCounts) {
		if len(arrived) != 0 || counts.Lost != 100 {
			t.Errorf("%d packets came, it counts %+v", len(arrived), counts)
		}
	})
}

// What is under way when the weather changes arrives as it was to.
func TestConditionsAreForPacketsFromThenOn(t *testing.T) {
	inCrossing(t, 1, func(t *testing.T, c crossing) {
		for _, conditions := range []sessiontest.NetworkConditions{{Delay: time.Second}, {Cut: true}, {}} {
			c.network.Set(conditions)
			if _, err := c.bad.WriteTo([]byte(conditions.Delay.String()), c.good.LocalAddr()); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		for _, want := range []string{"0s", "1s"} {
			buf := make([]byte, 10)
			size, _, err := c.good.ReadFrom(buf)
			if got := string(buf[:size]); err != nil || got != want || time.Since(began).String() != want {
				t.Errorf("%q came after %v, want %q: %v", got, time.Since(began), want, err)
			}
		}
	})
}

func TestSameSeedLosesTheSamePackets(t *testing.T) {
	lose := func(seed uint64) (numbers []uint32) {
		inCrossing(t, seed, func(t *testing.T, c crossing) {
			c.network.Set(sessiontest.NetworkConditions{Loss: 0.3})
			for _, a := range across(t, c.bad, c.good, 100) {
				numbers = append(numbers, a.number)
			}
		})
		return numbers
	}
	if once, again := lose(1), lose(1); !slices.Equal(once, again) {
		t.Errorf("with the same seed %v and %v arrived", once, again)
	}
	if other := lose(2); slices.Equal(lose(1), other) {
		t.Errorf("with another seed the same arrived: %v", other)
	}
}

// The socket that pion gets behaves as one does.
func TestShapedSocketHasDeadlinesAndAnEnd(t *testing.T) {
	network, err := sessiontest.NewNetwork(1)
	if err != nil {
		t.Fatal(err)
	}
	there, err := network.Shaped().ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	here, err := network.Shaped().DialUDP("udp4", nil, there.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	if err := there.SetReadDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := there.ReadFrom(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read after the deadline: %v", err)
	}
	if err := there.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := here.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	size, addr, err := there.ReadFrom(buf)
	if err != nil || string(buf[:size]) != "ping" || addr.String() != here.LocalAddr().String() {
		t.Errorf("%q from %v: %v", buf[:size], addr, err)
	}
	if err := errors.Join(here.Close(), there.Close()); err != nil {
		t.Error(err)
	}
	if _, _, err := there.ReadFrom(buf); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after the end: %v", err)
	}
	if _, err := here.Write(buf); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write after the end: %v", err)
	}
}
