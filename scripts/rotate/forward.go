package main

import (
	"io"
	"net"
)

// forward listens for functions of the host and connects them to an address on
// this machine. It ends with the listener.
func forward(h host, to string) (net.Listener, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(h.listen, "0"))
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go join(from, to)
		}
	}()
	return listener, nil
}

// join copies both ways until one side has ended.
func join(from net.Conn, address string) {
	defer from.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return // the function sees its connection end
	}
	defer to.Close()
	ended := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}
