// Command modules is an upstream of Go modules for tests, made with golang.org/x/mod: a proxy's tree of files, and a checksum database over it.
//
//	modules publish FROM TO TIME       every folder FROM/…/NAME@VERSION becomes the files of a version in the proxy's tree TO
//	modules serve TREE                 serves the tree and its checksum database; prints address and verifier key
//	modules record                     prints what a database answers at two sizes, as JSON: the golden bytes of the ecosystem's tests
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/dirhash"
	"golang.org/x/mod/zip"
)

const database = "sums.example"

func main() {
	log.SetFlags(0)
	switch arguments := os.Args[1:]; {
	case len(arguments) == 4 && arguments[0] == "publish":
		publish(arguments[1], arguments[2], arguments[3])
	case len(arguments) == 2 && arguments[0] == "serve":
		serve(arguments[1])
	case len(arguments) == 1 && arguments[0] == "record":
		record()
	default:
		log.Fatal("usage: modules publish FROM TO TIME | serve TREE | record")
	}
}

func publish(from, to, when string) {
	check(filepath.WalkDir(from, func(folder string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || !strings.Contains(entry.Name(), "@") {
			return err
		}
		name, err := filepath.Rel(from, folder)
		check(err)
		path, version, _ := strings.Cut(filepath.ToSlash(name), "@")
		files := base(to, path, version)
		check(os.MkdirAll(filepath.Dir(files), 0o777))
		info, err := json.Marshal(map[string]string{"Version": version, "Time": when})
		check(err)
		check(os.WriteFile(files+".info", info, 0o666))
		mod, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if errors.Is(err, fs.ErrNotExist) {
			mod, err = fmt.Appendf(nil, "module %s\n", path), nil
		}
		check(err)
		check(os.WriteFile(files+".mod", mod, 0o666))
		archive, err := os.Create(files + ".zip")
		check(err)
		check(zip.CreateFromDir(archive, module.Version{Path: path, Version: version}, folder))
		check(archive.Close())
		if module.IsPseudoVersion(version) {
			version = ""
		}
		list, err := os.OpenFile(filepath.Join(filepath.Dir(files), "list"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
		check(err)
		if version != "" {
			_, err = fmt.Fprintln(list, version)
			check(err)
		}
		check(list.Close())
		return filepath.SkipDir
	}))
}

func serve(tree string) {
	key, private := keys()
	sums := sumdb.NewServer(sumdb.NewTestServer(private, func(path, version string) ([]byte, error) { return sumsOf(tree, path, version) }))
	prefix := "/sumdb/" + database
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(tree)))
	mux.HandleFunc(prefix+"/supported", func(http.ResponseWriter, *http.Request) {})
	mux.Handle(prefix+"/", http.StripPrefix(prefix, sums))
	// Enough to have tiles of two levels.
	for at := range 600 {
		get(sums, fmt.Sprintf("/lookup/padding.example/m%d@v1.0.0", at))
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("http://%s %s\n", listener.Addr(), key)
	log.Fatal(http.Serve(listener, mux))
}

// Of padding it makes up what it says.
func sumsOf(tree, path, version string) ([]byte, error) {
	if strings.HasPrefix(path, "padding.example/") {
		return fmt.Appendf(nil, "%s %s h1:%s=\n%s %s/go.mod h1:%s=\n", path, version, strings.Repeat("A", 43), path, version, strings.Repeat("B", 43)), nil
	}
	files := base(tree, path, version)
	whole, err := dirhash.HashZip(files+".zip", dirhash.Hash1)
	if err != nil {
		return nil, fs.ErrNotExist
	}
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) { return os.Open(files + ".mod") })
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s %s %s\n%s %s/go.mod %s\n", path, version, whole, path, version, mod), nil
}

type state struct {
	Size    int               `json:"size"`
	Answers map[string]string `json:"answers"`
}

func record() {
	key, private := keys()
	sums := sumdb.NewServer(sumdb.NewTestServer(private, func(path, version string) ([]byte, error) { return sumsOf("", path, version) }))
	var states []state
	known := 0
	for _, size := range []int{300, 600} {
		for ; known < size; known++ {
			get(sums, fmt.Sprintf("/lookup/padding.example/m%d@v1.0.0", known))
		}
		paths := []string{"/latest", "/lookup/padding.example/m7@v1.0.0", fmt.Sprintf("/lookup/padding.example/m%d@v1.0.0", size-1), "/lookup/padding.example/m299@v1.0.0"}
		for index := range (size + 255) / 256 {
			path := fmt.Sprintf("/tile/8/0/%03d", index)
			if width := size - 256*index; width < 256 {
				path += fmt.Sprintf(".p/%d", width)
			}
			paths = append(paths, path)
		}
		paths = append(paths, fmt.Sprintf("/tile/8/1/000.p/%d", size/256))
		answers := map[string]string{}
		for _, path := range paths {
			answers[path[1:]] = base64.StdEncoding.EncodeToString(get(sums, path))
		}
		states = append(states, state{size, answers})
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	check(encoder.Encode(map[string]any{"key": key, "states": states}))
}

// Keys of a fixed seed, in the form of golang.org/x/mod/sumdb/note.
func keys() (public, private string) {
	seed := sha256.Sum256([]byte(database))
	key := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
	typed := append([]byte{1}, key...)
	digest := sha256.Sum256(append([]byte(database+"\n"), typed...))
	id := binary.BigEndian.Uint32(digest[:])
	public = fmt.Sprintf("%s+%08x+%s", database, id, base64.StdEncoding.EncodeToString(typed))
	private = fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", database, id, base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
	return public, private
}

func base(tree, path, version string) string {
	escapedPath, err := module.EscapePath(path)
	check(err)
	escapedVersion, err := module.EscapeVersion(version)
	check(err)
	return filepath.Join(tree, filepath.FromSlash(escapedPath), "@v", escapedVersion)
}

func get(handler http.Handler, path string) []byte {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
	if answer.Code != http.StatusOK {
		log.Fatalf("%s: %d %s", path, answer.Code, answer.Body)
	}
	return answer.Body.Bytes()
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
