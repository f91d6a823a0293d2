"""The answer's `__array_interface__` claims memory that is not its own, and changes each time."""

# %% conv1d
class Lie:
    def __init__(self, x):
        self.x, self.times = x, 0

    @property
    def __array_interface__(self):
        self.times += 1
        return {
            "shape": (self.times * 3,),
            "typestr": "<f8",
            "data": (self.x.__array_interface__["data"][0], True),
            "version": 3,
        }


def conv1d(x, w, stride=1, padding=0):
    return Lie(np.asarray(x, float))
