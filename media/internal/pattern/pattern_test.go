package pattern_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/callrx/callrx/media/internal/pattern"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPatternIsTwentyPicturesOfWhichTheFirstIsAKeyframe(t *testing.T) {
	b, err := io.ReadAll(pattern.VP8())
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if string(b[:4]) != "DKIF" || le.Uint16(b[6:]) != 32 || string(b[8:12]) != "VP80" {
		t.Fatalf("not an IVF file of VP8: %q", b[:12])
	}
	got := []int{int(le.Uint16(b[12:])), int(le.Uint16(b[14:])), int(le.Uint32(b[16:])), int(le.Uint32(b[20:])), int(le.Uint32(b[24:]))}
	if diff := cmp.Diff([]int{160, 120, 10, 1, 20}, got); diff != "" {
		t.Errorf("width, height, rate, scale, pictures: %s", diff)
	}
	picture := 0
	for b = b[32:]; len(b) > 0; picture++ {
		size := int(le.Uint32(b))
		if at := le.Uint64(b[4:]); at != uint64(picture) {
			t.Errorf("picture %d is at %d", picture, at)
		}
		frame := b[12 : 12+size]
		if key := frame[0]&1 == 0; key != (picture == 0) { // RFC 6386, section 9.1
			t.Errorf("picture %d: keyframe is %v", picture, key)
		}
		if frame[0]>>4&1 == 0 {
			t.Errorf("picture %d is not shown", picture)
		}
		b = b[12+size:]
	}
	if picture != 20 {
		t.Errorf("%d pictures", picture)
	}
}

func TestPatternIsTheFileAmongTheTestMedia(t *testing.T) {
	want, err := os.ReadFile("../../../testdata/media/pattern.ivf")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(pattern.VP8())
	if !bytes.Equal(got, want) {
		t.Error("they differ: run testdata/media/make.sh")
	}
}

func ExampleVP8() {
	head := make([]byte, 4)
	_, err := io.ReadFull(pattern.VP8(), head)
	fmt.Printf("%s %v\n", head, err)
	// Output: DKIF <nil>
}
