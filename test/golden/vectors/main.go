// Command vectors prints what golang.org/x/mod makes of fixed inputs, as JSON: the golden bytes that core/tlog is held against.
//
//	cd test/golden && go run ./vectors > vectors.json
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const treeSize = 66_000

type vectors struct {
	Notes       []noteVector        `json:"notes"`
	Refused     []refusedNote       `json:"refused"`
	Roots       []rootVector        `json:"roots"`
	Inclusion   []inclusionVector   `json:"inclusion"`
	Consistency []consistencyVector `json:"consistency"`
	Tiles       []tileVector        `json:"tiles"`
	Paths       []pathVector        `json:"paths"`
}

type noteVector struct {
	Seeds []string `json:"seeds"`
	Keys  []string `json:"keys"`
	Text  string   `json:"text"`
	Note  string   `json:"note"`
}

// A note that note.Open refuses with the first key of notes[0].
type refusedNote struct {
	Why  string `json:"why"`
	Note string `json:"note"`
}

type rootVector struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

type inclusionVector struct {
	Size  int64    `json:"size"`
	Index int64    `json:"index"`
	Proof []string `json:"proof"`
}

type consistencyVector struct {
	Old   int64    `json:"old"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}

type tileVector struct {
	Path   string `json:"path"`
	Sha256 string `json:"sha256"`
}

type pathVector struct {
	Level int    `json:"level"`
	Index int64  `json:"index"`
	Width int    `json:"width"`
	Path  string `json:"path"`
}

// storage keeps every hash by its storage index, as tlog numbers them.
type storage []tlog.Hash

func (s storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, 0, len(indexes))
	for _, index := range indexes {
		out = append(out, s[index])
	}
	return out, nil
}

func main() {
	var hashes storage
	roots := map[int64]tlog.Hash{}
	for n := int64(0); n < treeSize; n++ {
		more := must(tlog.StoredHashes(n, []byte(fmt.Sprintf("leaf %d", n)), hashes))
		hashes = append(hashes, more...)
	}
	out := vectors{Notes: notes(), Tiles: tiles(hashes), Paths: paths()}
	out.Refused = refused(out.Notes[0])
	for _, size := range []int64{0, 1, 2, 3, 4, 5, 7, 8, 255, 256, 257, 511, 512, 600, 65_535, 65_536, 65_537, treeSize} {
		roots[size] = must(tlog.TreeHash(size, hashes))
		out.Roots = append(out.Roots, rootVector{size, hex.EncodeToString(sliceOf(roots[size]))})
	}
	for _, size := range []int64{1, 2, 7, 256, 257, 600, treeSize} {
		for _, index := range []int64{0, 1, 6, 255, 256, 511, 599, 65_535, 65_999} {
			if index < size {
				out.Inclusion = append(out.Inclusion, inclusionVector{size, index, texts(must(tlog.ProveRecord(size, index, hashes)))})
			}
		}
		for _, old := range []int64{1, 2, 3, 4, 7, 255, 256, 257, 512, 600, 65_536, treeSize} {
			if old <= size {
				out.Consistency = append(out.Consistency, consistencyVector{old, size, texts(must(tlog.ProveTree(size, old, hashes)))})
			}
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(out); err != nil {
		log.Fatal(err)
	}
}

func notes() []noteVector {
	first, second := key("log.example", 1), key("witness.example/w1", 2)
	checkpoint := "log.example\n600\n" + strings.Repeat("A", 43) + "=\n"
	return []noteVector{
		sign(checkpoint, first),
		sign(checkpoint, first, second),
		sign("One line.\n\nAnd ünïcode ✓ after a blank one.\n", second),
	}
}

type keyPair struct{ seed, skey, vkey string }

func key(name string, fill byte) keyPair {
	seed := bytes.Repeat([]byte{fill}, ed25519.SeedSize)
	skey, vkey, err := note.GenerateKey(bytes.NewReader(seed), name)
	if err != nil {
		log.Fatal(err)
	}
	return keyPair{hex.EncodeToString(seed), skey, vkey}
}

func sign(text string, keys ...keyPair) noteVector {
	vector := noteVector{Text: text}
	var signers []note.Signer
	for _, pair := range keys {
		vector.Seeds = append(vector.Seeds, pair.seed)
		vector.Keys = append(vector.Keys, pair.vkey)
		signers = append(signers, must(note.NewSigner(pair.skey)))
	}
	vector.Note = string(must(note.Sign(&note.Note{Text: text}, signers...)))
	return vector
}

func refused(good noteVector) []refusedNote {
	candidates := []refusedNote{
		{"text changed", strings.Replace(good.Note, "600", "601", 1)},
		{"no signature", good.Text + "\n"},
		{"no blank line", strings.Replace(good.Note, "\n\n", "\n", 1)},
		{"no last newline", strings.TrimSuffix(good.Note, "\n")},
		{"other name", strings.Replace(good.Note, "— log.example", "— log2.example", 1)},
		{"hyphen for dash", strings.Replace(good.Note, "— ", "- ", 1)},
		{"control character", strings.Replace(good.Note, "600", "6\t0", 1)},
		{"carriage return", strings.Replace(good.Note, "600\n", "600\r\n", 1)},
		{"broken base64", strings.Replace(good.Note, "— log.example ", "— log.example !", 1)},
		{"short signature", good.Text + "\n— log.example AAAA\n"},
		{"space in name", strings.Replace(good.Note, "— log.example", "— log.exa mple", 1)},
		{"no-break space in name", strings.Replace(good.Note, "— log.example", "— log.exa\u00a0mple", 1)},
		{"101 signatures", good.Note + strings.Repeat("— other.example AAAAAAA=\n", 100)},
		{"malformed second line", good.Note + "— other.example\n"},
	}
	verifier := must(note.NewVerifier(good.Keys[0]))
	for _, candidate := range candidates {
		if _, err := note.Open([]byte(candidate.Note), note.VerifierList(verifier)); err == nil {
			log.Fatalf("%s: accepted", candidate.Why)
		}
	}
	return candidates
}

func tiles(hashes storage) []tileVector {
	var out []tileVector
	for _, tile := range tlog.NewTiles(8, 65_500, treeSize) {
		digest := sha256.Sum256(must(tlog.ReadTileData(tile, hashes)))
		out = append(out, tileVector{ours(tile), hex.EncodeToString(digest[:])})
	}
	return out
}

func paths() []pathVector {
	var out []pathVector
	for _, tile := range []tlog.Tile{{H: 8, L: 0, N: 0, W: 256}, {H: 8, L: 0, N: 999, W: 1}, {H: 8, L: 1, N: 1000, W: 256}, {H: 8, L: 3, N: 1_234_067, W: 255}} {
		out = append(out, pathVector{tile.L, tile.N, tile.W, ours(tile)})
	}
	return out
}

// ours is the path of C2SP tlog-tiles, which leaves out the height.
func ours(tile tlog.Tile) string {
	return strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
}

func texts[T ~[]tlog.Hash](proof T) []string {
	out := []string{}
	for _, hash := range proof {
		out = append(out, hex.EncodeToString(sliceOf(hash)))
	}
	return out
}

func sliceOf(hash tlog.Hash) []byte { return hash[:] }

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
