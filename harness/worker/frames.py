"""Frames: JSON on a socket, each after its length in four bytes; sent whole, and read without waiting."""

from __future__ import annotations

import socket
import struct
import threading

HEAD = struct.Struct(">I")
LARGEST = 1 << 28
"""Largest number of bytes of a frame that is read."""
PIECE = 1 << 20


class Misfit(Exception):
    """Bytes on the socket that are no frame, or a frame that is no message; the text says why."""


class Sender:
    """Sends frames; several threads may do so at once."""

    def __init__(self, to: socket.socket) -> None:
        self._socket, self._lock = to, threading.Lock()

    def renew(self) -> None:
        """Prepare a copy of the process: a thread that held the lock is not in it."""
        self._lock = threading.Lock()

    def send(self, payload: bytes) -> None:
        """Send a frame whole. Raises OSError if the other end is closed, TimeoutError after the socket's timeout."""
        with self._lock:
            self._socket.sendall(HEAD.pack(len(payload)) + payload)


class Reader:
    """Takes frames from a socket as they arrive."""

    def __init__(self, source: socket.socket) -> None:
        self._socket, self._bytes = source, bytearray()

    def taken(self) -> bytes | None:
        """Return the next frame if it was read already: several may arrive at once. Raises Misfit for no frame."""
        return self._whole()

    def take(self) -> bytes | None:
        """Return the next frame, None if some of it is still to come. Raises EOFError at the end, Misfit for no frame.

        Reads what is there and never waits, so that half a frame holds up nothing.
        """
        try:
            piece = self._socket.recv(PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        if not piece:
            raise EOFError
        self._bytes += piece
        return self._whole()

    def wait(self) -> bytes:
        """Return the next frame once it is there. Raises EOFError at the end, Misfit for no frame."""
        while (frame := self._whole()) is None:
            piece = self._socket.recv(PIECE)
            if not piece:
                raise EOFError
            self._bytes += piece
        return frame

    def _whole(self) -> bytes | None:
        if len(self._bytes) < HEAD.size:
            return None
        (size,) = HEAD.unpack_from(self._bytes)
        if size > LARGEST:
            raise Misfit(f"a message of {size:,} bytes, the largest has {LARGEST:,}")
        end = HEAD.size + size
        if len(self._bytes) < end:
            return None
        frame = bytes(self._bytes[HEAD.size : end])
        del self._bytes[:end]
        return frame
