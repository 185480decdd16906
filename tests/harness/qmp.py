"""A QMP client: greeting, commands with their answers, events.

Specification: QEMU Machine Protocol, version 2.
"""

import json

from harness.sockets import connect
from harness.wait import Deadline, Timeout


class QmpError(Exception):
    """The answer to a command was an error."""

    def __init__(self, error):
        super().__init__(f"{error.get('class')}: {error.get('desc')}")
        self.kind = error.get('class')
        self.description = error.get('desc')


class Qmp:
    """One connection. Events are kept in the order of their arrival until they are waited for."""

    def __init__(self, path, alive=lambda: True, negotiate=True, seconds=None):
        self.socket = connect(path, alive, seconds)
        self.buffer = b''
        self.events = []
        self.greeting = self.message(Deadline(seconds))
        if negotiate:
            self.execute('qmp_capabilities')

    def close(self):
        self.socket.close()

    def send(self, data):
        """Send raw bytes, or anything else as JSON."""
        if not isinstance(data, bytes):
            data = json.dumps(data).encode() + b'\r\n'
        self.socket.sendall(data)

    def message(self, deadline):
        """The next message, whatever it is. End of file gives None."""
        while b'\n' not in self.buffer:
            self.socket.settimeout(max(deadline.left(), 0.001))
            try:
                data = self.socket.recv(65536)
            except TimeoutError:
                raise Timeout(f'no QMP message within {deadline.seconds:g} s') from None
            except ConnectionResetError:
                data = b''
            if not data:
                return None
            self.buffer += data
        line, self.buffer = self.buffer.split(b'\n', 1)
        return json.loads(line)

    def answer(self, seconds=None):
        """The next message that is no event."""
        deadline = Deadline(seconds)
        while True:
            message = self.message(deadline)
            if message is None:
                raise ConnectionError('QMP connection closed')
            if 'event' in message:
                self.events.append(message)
                continue
            return message

    def execute(self, command, arguments=None, seconds=None):
        """Run a command; returns its value or raises QmpError."""
        request = {'execute': command}
        if arguments is not None:
            request['arguments'] = arguments
        self.send(request)
        answer = self.answer(seconds)
        if 'error' in answer:
            raise QmpError(answer['error'])
        return answer['return']

    def wait_event(self, name, seconds=None):
        """The oldest event of that name that was not waited for yet; later ones stay."""
        deadline = Deadline(seconds)
        while True:
            for index, event in enumerate(self.events):
                if event['event'] == name:
                    return self.events.pop(index)
            message = self.message(deadline)
            if message is None:
                raise ConnectionError(f'QMP connection closed while waiting for {name}')
            if 'event' in message:
                self.events.append(message)

    def status(self):
        return self.execute('query-status')['status']

    def screendump(self, path, kind=None):
        arguments = {'filename': str(path)}
        if kind:
            arguments['format'] = kind
        self.execute('screendump', arguments)
