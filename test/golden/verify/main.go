// Command verify holds a log that Granary wrote against golang.org/x/mod: notes, tiles, every leaf, and the proofs that Granary made.
//
//	cd test/golden && go run ./verify -log FOLDER -key FILE -proofs FILE
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proofs struct {
	Checkpoints []string           `json:"checkpoints"`
	Inclusion   []inclusionProof   `json:"inclusion"`
	Consistency []consistencyProof `json:"consistency"`
}

type inclusionProof struct {
	Index int64    `json:"index"`
	Proof []string `json:"proof"`
}

type consistencyProof struct {
	Old   int64    `json:"old"`
	Proof []string `json:"proof"`
}

func main() {
	folder := flag.String("log", "", "folder of the log")
	keyFile := flag.String("key", "", "file with its verifier key")
	proofFile := flag.String("proofs", "", "file with proofs and earlier checkpoints")
	flag.Parse()
	verifier := must(note.NewVerifier(strings.TrimSpace(string(must(os.ReadFile(*keyFile))))))
	tree := open(must(os.ReadFile(filepath.Join(*folder, "checkpoint"))), verifier)
	reader := tlog.TileHashReader(tree, tiles(*folder))

	leaves := readLeaves(*folder, tree, reader)
	sampled := proveRecords(tree, reader, leaves)
	var given proofs
	check(json.Unmarshal(must(os.ReadFile(*proofFile)), &given))
	checkGiven(tree, reader, leaves, verifier, given)
	fmt.Printf("verified %d leaves, %d proofs of our own, %d inclusion and %d consistency proofs, %d earlier checkpoints\n",
		tree.N, sampled, len(given.Inclusion), len(given.Consistency), len(given.Checkpoints))
}

func open(signed []byte, verifier note.Verifier) tlog.Tree {
	opened := must(note.Open(signed, note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		log.Fatalf("checkpoint %q: expected three lines of %s", opened.Text, verifier.Name())
	}
	size := must(strconv.ParseInt(lines[1], 10, 64))
	return tlog.Tree{N: size, Hash: hashOf(must(base64.StdEncoding.DecodeString(lines[2])))}
}

// tiles reads tiles of height 8 from a folder in the layout of C2SP tlog-tiles, whose paths leave out the height.
type tiles string

func (t tiles) Height() int { return 8 }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range wanted {
		data, err := os.ReadFile(filepath.Join(string(t), strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func readLeaves(folder string, tree tlog.Tree, reader tlog.HashReader) []tlog.Hash {
	var leaves []tlog.Hash
	for first := int64(0); first < tree.N; first += 256 {
		width := min(256, tree.N-first)
		tile := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		bundle := must(os.ReadFile(filepath.Join(folder, path)))
		var indexes []int64
		for n := first; n < first+width; n++ {
			length := int(binary.BigEndian.Uint16(bundle))
			leaves = append(leaves, tlog.RecordHash(bundle[2:2+length]))
			bundle = bundle[2+length:]
			indexes = append(indexes, tlog.StoredHashIndex(0, n))
		}
		if len(bundle) != 0 {
			log.Fatalf("%s: %d bytes to spare", path, len(bundle))
		}
		for at, hash := range must(reader.ReadHashes(indexes)) {
			if hash != leaves[first+int64(at)] {
				log.Fatalf("leaf %d: not the one whose hash the tiles have", first+int64(at))
			}
		}
	}
	return leaves
}

func proveRecords(tree tlog.Tree, reader tlog.HashReader, leaves []tlog.Hash) int {
	count := 0
	for n := int64(0); n < tree.N; n += 1009 {
		check(tlog.CheckRecord(must(tlog.ProveRecord(tree.N, n, reader)), tree.N, tree.Hash, n, leaves[n]))
		count++
	}
	return count
}

func checkGiven(tree tlog.Tree, reader tlog.HashReader, leaves []tlog.Hash, verifier note.Verifier, given proofs) {
	for _, one := range given.Inclusion {
		check(tlog.CheckRecord(hashes(one.Proof), tree.N, tree.Hash, one.Index, leaves[one.Index]))
	}
	for _, one := range given.Consistency {
		check(tlog.CheckTree(hashes(one.Proof), tree.N, tree.Hash, one.Old, must(tlog.TreeHash(one.Old, reader))))
	}
	for _, signed := range given.Checkpoints {
		old := open([]byte(signed), verifier)
		check(tlog.CheckTree(must(tlog.ProveTree(tree.N, old.N, reader)), tree.N, tree.Hash, old.N, old.Hash))
	}
}

func hashes(proof []string) []tlog.Hash {
	var out []tlog.Hash
	for _, one := range proof {
		out = append(out, hashOf(must(hex.DecodeString(one))))
	}
	return out
}

func hashOf(data []byte) (hash tlog.Hash) {
	if len(data) != len(hash) {
		log.Fatalf("a hash of %d bytes", len(data))
	}
	copy(hash[:], data)
	return hash
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
