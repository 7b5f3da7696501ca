"""PyTorch: eager, and compiled by Inductor."""
import work
from products import products
from serve import THREADS, Lengths, Timed, serve


def load():
    import torch

    torch.set_num_threads(THREADS)
    return torch


def add(torch):
    a, b = torch.ones(8), torch.ones(8)
    return Timed("a.dispatch add[8]", "ns/op", lambda s: s * 1e9, lambda: torch.add(a, b), low=True)


def multiply(torch, x, y):
    a, b = torch.from_numpy(x), torch.from_numpy(y)
    return lambda: torch.matmul(a, b)


def gelu(kind, compiled):
    def setup(torch):
        a, b, c = map(torch.from_numpy, work.gelu_data())
        approximate = {"tanh": "tanh", "erf": "none"}[kind]

        def plain(a, b, c):
            return torch.nn.functional.gelu(a * b + c, approximate=approximate)

        f = torch.compile(plain) if compiled else plain

        def run():
            with torch.no_grad():
                f(a, b, c)

        return work.gelu_task(kind, run)

    return setup


def mlp(nn, features, *units):
    sizes = [features, *units]
    layers = [m for i, o in zip(sizes, units) for m in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def network(torch, case):
    nn = torch.nn
    if case in ("d", "eager"):
        return mlp(nn, 784, 512, 256, 10)
    if case == "e":
        convolutions = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
        return nn.Sequential(*convolutions, nn.Linear(64 * 144, 128), nn.ReLU(), nn.Linear(128, 10))

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.dense = nn.LSTM(64, 128, batch_first=True), nn.Linear(128, 10)

        def forward(self, x):
            return self.dense(self.lstm(x)[0][:, -1])

    return Recurrent()


def train(case, fused=False, compiled=False, channels_last=False):
    def setup(torch):
        training = work.TRAININGS[case]
        model = network(torch, case)
        batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in training.batches()]
        if case == "e":
            layout = torch.channels_last if channels_last else torch.contiguous_format
            batches = [(x.permute(0, 3, 1, 2).contiguous(memory_format=layout), y) for x, y in batches]
        if channels_last:
            model = model.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=fused or None)
        forward = torch.compile(model) if compiled else model

        def epoch():
            for x, y in batches:
                optimizer.zero_grad(set_to_none=True)
                loss = torch.nn.functional.cross_entropy(forward(x), y)
                loss.backward()
                optimizer.step()
            loss.item()

        return training.task(epoch)

    return setup


def lengths(fused):
    def setup(torch):
        def make_step(features, longest):
            model = mlp(torch.nn, features, 128, 10)
            optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=fused or None)
            data, labels = torch.rand(longest, features), torch.randint(0, 10, (longest,))

            def step(length):
                optimizer.zero_grad(set_to_none=True)
                loss = torch.nn.functional.cross_entropy(model(data[:length]), labels[:length])
                loss.backward()
                optimizer.step()
                loss.item()

            return step

        return Lengths(make_step)

    return setup


def gpt_step(fused=False, compiled=False):
    def setup(torch):
        nn, F = torch.nn, torch.nn.functional
        width, heads = work.WIDTH, work.HEADS

        class Block(nn.Module):
            def __init__(self):
                super().__init__()
                self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
                self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
                self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

            def forward(self, x):
                b, t, _ = x.shape
                q, k, v = self.qkv(self.norm1(x)).view(b, t, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
                attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
                x = x + self.projection(attended.transpose(1, 2).reshape(b, t, width))
                return x + self.narrow(F.gelu(self.widen(self.norm2(x)), approximate="tanh"))

        class Gpt(nn.Module):
            def __init__(self):
                super().__init__()
                self.tokens = nn.Embedding(work.VOCABULARY, width)
                self.positions = nn.Parameter(torch.randn(work.LENGTH, width) * 0.02)
                self.blocks = nn.Sequential(*[Block() for _ in range(work.LAYERS)])
                self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, work.VOCABULARY, bias=False)

            def forward(self, x):
                return self.head(self.norm(self.blocks(self.tokens(x) + self.positions)))

        x, y = map(torch.from_numpy, work.tokens())
        model = Gpt()
        optimizer = torch.optim.AdamW(model.parameters(), 3e-4, fused=fused or None)
        forward = torch.compile(model) if compiled else model

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(forward(x).view(-1, work.VOCABULARY), y.view(-1))
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    return setup


def picture(channels_last):
    def setup(torch):
        nn = torch.nn

        def convolution(i, o, k=3, stride=1, groups=1, act=True):
            layers = [nn.Conv2d(i, o, k, stride, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
            return nn.Sequential(*layers, *([nn.ReLU6()] if act else []))

        class Block(nn.Module):
            def __init__(self, i, o, stride, expansion):
                super().__init__()
                h = i * expansion
                widen = [convolution(i, h, 1)] if expansion > 1 else []
                self.layers = nn.Sequential(*widen, convolution(h, h, 3, stride, h), convolution(h, o, 1, act=False))
                self.residual = stride == 1 and i == o

            def forward(self, x):
                return x + self.layers(x) if self.residual else self.layers(x)

        layers, i = [convolution(3, 32, 3, 2)], 32
        stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
        for expansion, o, count, stride in stages:
            for nth in range(count):
                layers.append(Block(i, o, stride if nth == 0 else 1, expansion))
                i = o
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000), nn.Softmax(-1)]
        model = nn.Sequential(*layers, convolution(320, 1280, 1), *head).eval()
        x = torch.from_numpy(work.picture()).permute(0, 3, 1, 2).contiguous()
        if channels_last:
            model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)

        def run():
            with torch.inference_mode():
                model(x)

        return work.picture_task(run)

    return setup


def gelus(compiled):
    return {f"c.{kind}": gelu(kind, compiled) for kind in ("tanh", "erf")}


def trainings(case):
    systems = {
        "torch-eager": {case: train(case)},
        "torch-eager fused-adam": {case: train(case, fused=True)},
    }
    if case == "e":
        systems["torch-eager channels_last fused-adam"] = {case: train(case, fused=True, channels_last=True)}
    if case != "i":
        systems["torch.compile fused-adam"] = {case: train(case, fused=True, compiled=True)}
    return systems


def eager(fused):
    return {"eager.mlp": train("eager", fused), "eager.lengths": lengths(fused)}


serve(
    load,
    {
        "a": {"torch-eager": {"a": add}},
        "b": {"torch": products(multiply)},
        "c": {"torch-eager": gelus(False), "torch.compile": gelus(True)},
        **{case: trainings(case) for case in ("d", "e", "i")},
        "f": {
            "torch-eager": work.gpt_tasks("f", gpt_step()),
            "torch-eager fused-adamw": work.gpt_tasks("f", gpt_step(fused=True)),
            "torch.compile fused-adamw": work.gpt_tasks("f", gpt_step(fused=True, compiled=True)),
        },
        "g": {"torch-eager": {"g": picture(False)}, "torch-eager channels_last": {"g": picture(True)}},
        "eager": {"torch-eager": eager(False), "torch-eager fused-adam": eager(True)},
        "k": {
            "torch-eager": work.gpt_tasks("k", gpt_step()),
            "torch-eager fused-adamw": work.gpt_tasks("k", gpt_step(fused=True)),
        },
    },
)
