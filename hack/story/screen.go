package story

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
)

// Screen prints a story as it goes.
type Screen struct {
	out   io.Writer
	steps int
}

// NewScreen prints to out.
func NewScreen(out io.Writer) *Screen { return &Screen{out: out} }

// Title begins a part.
func (s *Screen) Title(text string) {
	s.printf("\n%s\n%s\n", text, strings.Repeat("=", len([]rune(text))))
}

// Step says what is done next.
func (s *Screen) Step(text string) {
	s.steps++
	s.printf("\n%2d. %s\n", s.steps, text)
}

// Done says what has been done.
func (s *Screen) Done(text string) {
	s.printf("    [ok] %s\n", text)
}

func (s *Screen) show(text string) {
	for line := range strings.Lines(text) {
		s.printf("    %s\n", strings.TrimRight(line, "\n"))
	}
}

func (s *Screen) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format, args...)
}

// drawQR draws a QR (a PNG as a data URI) with half blocks, two rows a line.
func drawQR(dataURI string) (string, error) {
	_, encoded, ok := strings.Cut(dataURI, ";base64,")
	if !ok {
		return "", errors.New("the QR is no data URI")
	}
	content, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("decode the QR: %w", err)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		return "", fmt.Errorf("read the QR's picture: %w", err)
	}
	modules, err := modulesOf(picture)
	if err != nil {
		return "", err
	}
	return halfBlocks(modules), nil
}

// modulesOf reads the modules of a QR from its picture: the finder pattern in the upper
// left corner is seven modules wide.
func modulesOf(picture image.Image) ([][]bool, error) {
	bounds := picture.Bounds()
	dark := func(x, y int) bool {
		r, g, b, _ := picture.At(x, y).RGBA()
		return r+g+b < 3*0x8000
	}
	for d := range min(bounds.Dx(), bounds.Dy()) {
		if !dark(bounds.Min.X+d, bounds.Min.Y+d) {
			continue
		}
		run := 0
		for dark(bounds.Min.X+d+run, bounds.Min.Y+d) {
			run++
		}
		size := run / 7
		if size == 0 {
			break
		}
		return sample(dark, bounds.Min.Add(image.Pt(d, d)), size, (bounds.Dx()-2*d)/size), nil
	}
	return nil, errors.New("the picture holds no QR")
}

func sample(dark func(x, y int) bool, from image.Point, size, count int) [][]bool {
	modules := make([][]bool, count)
	for y := range modules {
		modules[y] = make([]bool, count)
		for x := range modules[y] {
			modules[y][x] = dark(from.X+x*size+size/2, from.Y+y*size+size/2)
		}
	}
	return modules
}

// halfBlocks draws light modules as filled: terminals are dark, and a QR needs a light
// border.
func halfBlocks(modules [][]bool) string {
	const border = 2
	light := func(x, y int) bool {
		x, y = x-border, y-border
		return y < 0 || y >= len(modules) || x < 0 || x >= len(modules) || !modules[y][x]
	}
	var drawn strings.Builder
	for y := 0; y < len(modules)+2*border; y += 2 {
		for x := range len(modules) + 2*border {
			switch upper, lower := light(x, y), light(x, y+1); {
			case upper && lower:
				drawn.WriteRune('█')
			case upper:
				drawn.WriteRune('▀')
			case lower:
				drawn.WriteRune('▄')
			default:
				drawn.WriteRune(' ')
			}
		}
		drawn.WriteByte('\n')
	}
	return drawn.String()
}
